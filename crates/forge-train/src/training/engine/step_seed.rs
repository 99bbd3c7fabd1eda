//! Random numbers of one step.

/// A seed for one step, so that a run resumed there draws the numbers it would have drawn.
/// `purpose` keeps apart what is drawn in the step itself and what is drawn between steps.
pub(super) fn step_seed(purpose: &str, seed: u64, epoch: usize, step: u64) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    for part in [seed, epoch as u64, step] {
        hasher.update(&part.to_le_bytes());
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_its_own_seed() {
        let seeds = [
            ("a", 0, 0, 0),
            ("a", 0, 0, 1),
            ("a", 0, 1, 0),
            ("a", 1, 0, 0),
            ("b", 0, 0, 0),
        ];
        let mut seeds: Vec<u64> = seeds.map(|(p, s, e, t)| step_seed(p, s, e, t)).to_vec();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 5);
    }
}
