//! The conditional value at risk.

use burn::tensor::{Tensor, TensorData};
use forge_nn::ops::stop_gradient;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// The smallest weight that is divided by.
const TINY: f64 = 1e-30;

/// The mean of the worst part of the rows' losses: with `n` rows, of the `(1 - level) n` largest,
/// the last of which counts in part where that is no whole number (expected shortfall; Rockafellar
/// and Uryasev 2000, whose minimum over thresholds it equals).
///
/// Where the tail is smaller than one row, it is the largest loss. The gradient reaches the rows of
/// the tail alone, each in its share. Of equal losses at the cut, the order of the sort decides which
/// count: one of many subgradients. A loss of tails takes the whole batch: it is no mean of its
/// parts' losses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cvar {
    /// Share of the rows that does not count, in `[0, 1)`: 0.95 is the mean of the worst 5 %.
    /// Default 0, the mean of all.
    pub level: f64,
}

impl Cvar {
    /// Checks the field.
    ///
    /// # Errors
    /// A config error naming it, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("cvar", self.level, 0.0..1.0)
    }

    /// The conditional value at risk of the rows' losses. With weights a row is as much of the tail
    /// as it weighs; 0 where all weigh nothing.
    ///
    /// # Shapes
    /// - losses: `[B]`
    /// - weights: `[B]`, finite and at least 0
    /// - output: `[1]`
    ///
    /// # Panics
    /// If the shapes differ.
    #[must_use]
    pub fn forward(&self, losses: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
        let (losses, taken) = self.tail(losses, weights);
        let total = taken.clone().sum().clamp_min(TINY);
        losses.mul(taken).sum().div(total)
    }

    /// The smallest loss of the tail: the `level` quantile from above.
    ///
    /// # Shapes
    /// - losses, weights: as in [`forward`](Self::forward)
    /// - output: `[1]`
    ///
    /// # Panics
    /// If the shapes differ.
    #[must_use]
    pub fn value_at_risk(&self, losses: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
        let (losses, taken) = self.tail(losses, weights);
        let outside = taken.lower_equal_elem(0.0);
        losses.mask_fill(outside, f32::MAX).min()
    }

    /// Losses from the largest down, and what weight of each is in the tail.
    fn tail(&self, losses: Tensor<1>, weights: Option<Tensor<1>>) -> (Tensor<1>, Tensor<1>) {
        let [rows] = losses.dims();
        let order = stop_gradient(losses.clone()).argsort_descending(0);
        let sorted = losses.select(0, order.clone());
        let device = (&sorted.device(), sorted.dtype());
        let (weights, tail, before) = match weights {
            None => {
                // In f64 on the host: `1 - level` of many rows is no number of an f32.
                let tail = TensorData::new(vec![(1.0 - self.level) * rows as f64], [1]);
                let before: Vec<f64> = (0..rows).map(|row| row as f64).collect();
                (
                    sorted.ones_like(),
                    Tensor::from_data(tail, device),
                    Tensor::from_data(TensorData::new(before, [rows]), device),
                )
            }
            Some(weights) => {
                assert_eq!(
                    [rows],
                    weights.dims(),
                    "cvar: there must be one weight per row"
                );
                let weights = weights.cast(sorted.dtype()).select(0, order);
                let tail = weights.clone().sum().mul_scalar(1.0 - self.level);
                let before = weights.clone().cumsum(0).sub(weights.clone());
                (weights, tail, before)
            }
        };
        let left = tail.expand([rows]).sub(before).clamp_min(0.0);
        let taken = left.min_pair(weights);
        (sorted, stop_gradient(taken))
    }
}
