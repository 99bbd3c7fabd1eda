//! Numbers into a hash.

/// In blocks: a call of the hasher for each number would take longer than the hashing.
pub(crate) fn hash_numbers<T, const N: usize>(
    hasher: &mut blake3::Hasher,
    values: &[T],
    bytes: impl Fn(&T) -> [u8; N],
) {
    for block in values.chunks(4096) {
        let block: Vec<u8> = block.iter().flat_map(&bytes).collect();
        hasher.update(&block);
    }
}
