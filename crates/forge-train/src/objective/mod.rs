//! What a model's outputs mean: how many there are, what is minimised, how they are read, how they
//! are scored.
//!
//! A model gives `y` `[B, D_out]` and knows nothing else. An [`Objective`] views it as `[B, S, W]`:
//! `S` slots, one per target column, of `W` outputs each.
//!
//! | objective | target | `W` | predictions | first score |
//! |---|---|---|---|---|
//! | [`Regression`] | numbers | 1 | values | RMSE |
//! | [`Quantiles`] | numbers | number of quantiles | quantiles | pinball |
//! | [`Distribution`] | numbers | 2 or 3 | mean, spread, any quantile | negative log likelihood |
//! | [`Bars`] | numbers | number of buckets | mean, spread, any quantile | negative log likelihood |
//! | [`Binary`] | 0 or 1 | 1 | probabilities | log loss |
//! | [`Multiclass`] | `0..C` | `C` | probabilities | log loss |
//!
//! [`ObjectiveConfig`] names them all. The life of one: [`validate`](Objective::validate),
//! [`fit`](Objective::fit) to the training targets, [`loss`](Objective::loss) in training,
//! [`decode`](Objective::decode) and [`scores`](Objective::scores) on validation rows,
//! [`tune`](Objective::tune) at the end; it is stored with the model as it is then.

mod average;
mod bars;
mod binary;
mod class_weights;
mod distribution;
mod members;
mod multiclass;
mod objective_config;
mod outputs;
mod predictions;
mod quantiles;
mod regression;
mod scale;
mod slot_scores;
mod targets;
mod threshold;
mod view;

pub use bars::Bars;
pub use binary::Binary;
pub use class_weights::ClassWeights;
pub use distribution::{Distribution, Family};
pub use multiclass::Multiclass;
pub use objective_config::ObjectiveConfig;
pub use predictions::Predictions;
pub use quantiles::Quantiles;
pub use regression::Regression;
pub use scale::Scale;
pub use targets::Targets;
pub use threshold::{Threshold, ThresholdMetric, TunedThreshold};

use burn::tensor::Tensor;
use forge_nn::{ForgeError, Forward};

use crate::metric::Scores;
use members::decode_members;

/// What a model's outputs mean.
///
/// Inside training, targets are tensors `[B, S]` on the model's scale: standardised where
/// [`is_scaled`](Self::is_scaled), class numbers as floats otherwise. On the host, [`Targets`],
/// [`Predictions`] and scores are in the target's own units.
pub trait Objective {
    /// Checks the objective's own fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    fn validate(&self) -> Result<(), ForgeError>;

    /// Number of target columns, `S`.
    fn slots(&self) -> usize;

    /// Outputs per target column, `W`.
    fn width(&self) -> usize;

    /// Outputs that the model must have, `S·W`.
    fn d_out(&self) -> usize {
        self.slots() * self.width()
    }

    /// Number of classes; absent where the target is a number.
    fn n_classes(&self) -> Option<usize> {
        None
    }

    /// Whether targets are standardised before training, and predictions brought back by
    /// [`decode`](Self::decode)'s scales. Class numbers are not.
    fn is_scaled(&self) -> bool {
        self.n_classes().is_none()
    }

    /// Takes from the training targets what it needs to know: the number of columns or classes,
    /// balanced class weights.
    ///
    /// # Errors
    /// What of the targets does not suit the objective: one class only, a class without a row,
    /// labels that are none.
    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError>;

    /// The loss of every row, the mean over its targets.
    ///
    /// # Shapes
    /// - y: `[B, S·W]`
    /// - target: `[B, S]`, on the model's scale
    /// - output: `[B]`
    ///
    /// # Panics
    /// If the shapes do not fit; the message has both. If balanced class weights were not
    /// [fitted](Self::fit).
    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1>;

    /// What training minimises: the mean of the [rows' losses](Self::row_losses) plus the model's
    /// penalty where it has one. Where the model has several members, a row's loss is the mean of
    /// its members' losses, not the loss of their mean: each member learns by itself.
    ///
    /// With weights the mean is `Σ w l / Σ w`: a row of weight 0 is as good as absent, and the loss
    /// of a batch is the mean of its parts' losses weighted by their `Σ w`. Rows that all have
    /// weight 0 have loss 0. Class weights are no such weights: they multiply `l`.
    ///
    /// # Shapes
    /// - forward: `y` `[B, S·W]`, members `[B, K, S·W]`, penalty `[1]`
    /// - target: `[B, S]`, on the model's scale
    /// - weights: `[B]`, finite and at least 0
    /// - output: `[1]`
    ///
    /// # Panics
    /// As [`row_losses`](Self::row_losses).
    fn loss(&self, forward: &Forward, target: Tensor<2>, weights: Option<Tensor<1>>) -> Tensor<1> {
        let rows = match &forward.members {
            None => self.row_losses(forward.y.clone(), target),
            Some(members) => {
                let (y, target, [rows, members]) = view::members(members.clone(), target);
                let losses = self.row_losses(y, target).reshape([rows, members]);
                losses.mean_dim(1).squeeze_dim(1)
            }
        };
        let mean = view::weighted_mean(rows, weights);
        match &forward.penalty {
            None => mean,
            Some(penalty) => {
                let dtype = mean.dtype();
                mean.add(penalty.clone().cast(dtype))
            }
        }
    }

    /// A model's outputs as predictions in the target's units.
    ///
    /// `outputs` are `[N, S·W]` row by row; `scales` has one entry per slot, and none is needed
    /// where the target [is not scaled](Self::is_scaled).
    ///
    /// # Errors
    /// A shape error if the outputs are not whole rows, or scales are missing; a training error
    /// naming the first row with an output that is not finite.
    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError>;

    /// [`decode`](Self::decode) for a model of several members: what each says is decoded, and
    /// [averaged](Predictions::average) row by row.
    ///
    /// `outputs` are `[N, K, S·W]` for `K` = `members`, at least 1.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); a config error for no members.
    fn decode_members(
        &self,
        outputs: &[f64],
        members: usize,
        scales: &[Scale],
    ) -> Result<Predictions, ForgeError> {
        match members {
            1 => self.decode(outputs, scales),
            _ => decode_members(self, outputs, members, scales),
        }
    }

    /// How good predictions are, in the target's units. The first score decides. With several
    /// targets the plain names are means over targets (so a target in larger units counts more
    /// where the score has units), followed by `name.slot` for each.
    ///
    /// # Errors
    /// A shape error if the rows differ; an unsupported error for predictions of another kind; a
    /// training error naming the first row that is not finite.
    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError>;

    /// Whether [`tune`](Self::tune) has anything to choose. Default: no.
    fn tunes(&self) -> bool {
        false
    }

    /// Chooses on validation rows what is chosen after training (a threshold, say). Most objectives
    /// have nothing to choose.
    ///
    /// # Errors
    /// What makes the choice impossible, and the way out.
    fn tune(&mut self, pred: &Predictions, target: &Targets) -> Result<(), ForgeError> {
        let _ = (pred, target);
        Ok(())
    }
}
