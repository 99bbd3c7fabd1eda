//! Which rows go into which step.

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The rows of one epoch: a shuffle that depends on the run's seed and the epoch alone, cut into
/// batches.
///
/// A last batch of one row is joined to the one before it: batch statistics of one row have no
/// variance.
#[derive(Debug, Clone)]
pub struct Batches {
    order: Vec<usize>,
    batch_size: usize,
}

impl Batches {
    /// The batches of `epoch`. A batch size of 0 counts as 1.
    #[must_use]
    pub fn new(n_rows: usize, batch_size: usize, seed: u64, epoch: usize) -> Self {
        let mut order: Vec<usize> = (0..n_rows).collect();
        shuffle(&mut order, seed, epoch as u64);
        Self {
            order,
            batch_size: batch_size.max(1),
        }
    }

    /// Number of batches that `n_rows` rows make.
    #[must_use]
    pub fn count(n_rows: usize, batch_size: usize) -> usize {
        let batch_size = batch_size.max(1);
        let (full, tail) = (n_rows / batch_size, n_rows % batch_size);
        if tail == 0 || (tail == 1 && full > 0) {
            full
        } else {
            full + 1
        }
    }

    /// Number of batches.
    #[must_use]
    pub fn len(&self) -> usize {
        Self::count(self.order.len(), self.batch_size)
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The rows of batch `index`; none past the last.
    #[must_use]
    pub fn get(&self, index: usize) -> &[usize] {
        let count = self.len();
        if index >= count {
            return &[];
        }
        let start = index * self.batch_size;
        let end = if index + 1 == count {
            self.order.len()
        } else {
            start + self.batch_size
        };
        &self.order[start..end]
    }
}

/// `rows` cut into at most `parts` pieces of nearly equal length, none of them of one row where
/// that can be helped.
pub(crate) fn pieces(rows: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = parts.min(rows / 2).max(1);
    (0..parts).map(move |i| i * rows / parts..(i + 1) * rows / parts)
}

/// A seed for one step, so that a run resumed there draws the numbers it would have drawn.
pub(crate) fn step_seed(seed: u64, epoch: usize, step: u64) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("volatilityforge trainer step seed");
    for part in [seed, epoch as u64, step] {
        hasher.update(&part.to_le_bytes());
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// Fisher–Yates. Written here because the order is part of what a checkpoint promises, and a
/// library's shuffle may change between versions.
fn shuffle(order: &mut [usize], seed: u64, epoch: u64) {
    let mut hasher = blake3::Hasher::new_derive_key("volatilityforge trainer data order");
    hasher.update(&seed.to_le_bytes());
    hasher.update(&epoch.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
    for i in (1..order.len()).rev() {
        order.swap(i, below(&mut rng, i as u64 + 1) as usize);
    }
}

/// Uniform in `0..n`, without bias (Lemire 2019).
fn below(rng: &mut ChaCha8Rng, n: u64) -> u64 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_comes_once_and_no_batch_has_one_row() {
        for n in 0..40 {
            for size in 1..12 {
                let batches = Batches::new(n, size, 3, 1);
                let mut seen: Vec<usize> = (0..batches.len())
                    .flat_map(|i| batches.get(i).to_vec())
                    .collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..n).collect::<Vec<_>>(), "n {n}, size {size}");
                if n > 1 && size > 1 {
                    assert!((0..batches.len()).all(|i| batches.get(i).len() > 1));
                }
                assert!(batches.get(batches.len()).is_empty());
            }
        }
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_and_never_changes() {
        let order = |seed, epoch| Batches::new(8, 8, seed, epoch).get(0).to_vec();
        assert_ne!(order(0, 0), order(0, 1));
        assert_ne!(order(0, 0), order(1, 0));
        // Frozen: a checkpoint written by one version must mean the same rows in the next.
        assert_eq!(order(0, 0), FROZEN);
    }

    const FROZEN: [usize; 8] = [1, 4, 0, 5, 7, 2, 6, 3];

    #[test]
    fn every_step_has_its_own_seed() {
        let seeds = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)];
        let mut seeds: Vec<u64> = seeds.map(|(s, e, t)| step_seed(s, e, t)).to_vec();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 4);
    }

    #[test]
    fn shuffles_are_uniform() {
        // Where row 0 ends up over 6000 epochs; 5 degrees of freedom, 20.5 is the 0.1 % point.
        let mut counts = [0_f64; 6];
        for epoch in 0..6000 {
            let at = Batches::new(6, 6, 9, epoch)
                .get(0)
                .iter()
                .position(|&r| r == 0);
            counts[at.unwrap_or(0)] += 1.0;
        }
        let chi2: f64 = counts.iter().map(|c| (c - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 20.5, "{counts:?}");
    }

    #[test]
    fn pieces_cover_a_batch() {
        let cut = |rows, parts| pieces(rows, parts).map(|r| r.len()).collect::<Vec<_>>();
        assert_eq!(cut(7, 3), [2, 2, 3]);
        assert_eq!(cut(3, 3), [3]);
        assert_eq!(cut(1, 4), [1]);
        assert_eq!(cut(5, 4), [2, 3]);
    }
}
