//! All rows once per epoch, in random order.

use forge_nn::ForgeError;
use serde_json::{Value, json};

use super::Sampler;
use super::cut::Cut;
use super::epoch_order::EpochOrder;
use super::uniform::{self, generator};
use crate::checkpoint::RunPart;

/// All rows once per epoch, in an order that depends on the seed and the epoch alone. A last batch
/// of one row is joined to the one before it.
#[derive(Debug, Clone)]
pub struct Shuffle {
    n_rows: usize,
    batch_size: usize,
    seed: u64,
    order: EpochOrder,
}

impl Shuffle {
    /// Rows `0..n_rows` in batches. A batch size of 0 counts as 1.
    #[must_use]
    pub fn new(n_rows: usize, batch_size: usize, seed: u64) -> Self {
        Self {
            n_rows,
            batch_size,
            seed,
            order: EpochOrder::default(),
        }
    }

    fn cut(&self) -> Cut {
        Cut::new(self.n_rows, self.batch_size)
    }
}

impl RunPart for Shuffle {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        let Self {
            n_rows,
            batch_size,
            seed,
            ..
        } = self;
        json!({"name": "shuffle", "rows": n_rows, "batch_size": batch_size, "seed": seed})
    }
}

impl Sampler for Shuffle {
    fn batches(&self) -> usize {
        self.cut().count()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        let range = self.cut().batch(batch);
        let draw = || shuffled(self.n_rows, self.seed, epoch);
        Ok(self.order.of(epoch, draw)[range].to_vec())
    }
}

fn shuffled(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = generator("volatilityforge trainer data order", seed, epoch);
    uniform::shuffle(&mut rng, &mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
        Shuffle::new(n, n, seed).rows(epoch, 0).unwrap_or_default()
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_and_never_changes() {
        assert_ne!(order(8, 0, 0), order(8, 0, 1));
        assert_ne!(order(8, 0, 0), order(8, 1, 0));
        // Frozen: a checkpoint written by one version must mean the same rows in the next.
        assert_eq!(order(8, 0, 0), [1, 4, 0, 5, 7, 2, 6, 3]);
    }

    #[test]
    fn batches_asked_for_out_of_order_are_the_same() -> Result<(), ForgeError> {
        let mut sampler = Shuffle::new(10, 3, 7);
        let all = [
            sampler.rows(0, 0)?,
            sampler.rows(0, 1)?,
            sampler.rows(1, 0)?,
        ];
        assert_eq!(Shuffle::new(10, 3, 7).rows(1, 0)?, all[2]);
        assert_eq!(sampler.rows(0, 1)?, all[1]);
        assert_eq!(sampler.batches(), 3);
        Ok(())
    }

    #[test]
    fn shuffles_are_uniform() {
        // Where row 0 ends up over 6000 epochs; 5 degrees of freedom, 20.5 is the 0.1 % point.
        let mut counts = [0_f64; 6];
        for epoch in 0..6000 {
            let at = order(6, 9, epoch).iter().position(|&r| r == 0);
            counts[at.unwrap_or(0)] += 1.0;
        }
        let chi2: f64 = counts.iter().map(|c| (c - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 20.5, "{counts:?}");
    }
}
