//! Random numbers that mean the same in every version of this library. Written here because the
//! order of rows is part of what a checkpoint promises, and a library's shuffle may change.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator for one epoch of a run. `purpose` keeps streams for different ends apart.
pub(super) fn generator(purpose: &str, seed: u64, epoch: usize) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher.update(&seed.to_le_bytes());
    hasher.update(&(epoch as u64).to_le_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// Uniform in `0..n`, without bias (Lemire 2019).
pub(super) fn below(rng: &mut ChaCha8Rng, n: u64) -> u64 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

/// Uniform in `[0, 1)`, all 53 bits of it.
pub(super) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Fisher–Yates.
pub(super) fn shuffle(rng: &mut ChaCha8Rng, items: &mut [usize]) {
    for i in (1..items.len()).rev() {
        items.swap(i, below(rng, i as u64 + 1) as usize);
    }
}
