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
//! | [`Distribution`] | numbers | 2 to 4 | mean, spread, any quantile | negative log likelihood |
//! | [`Bars`] | numbers | number of buckets | mean, spread, any quantile | negative log likelihood |
//! | [`ReturnsDirection`] | numbers | 2 | values, probabilities of being above 0 | RMSE |
//! | [`Binary`] | 0 or 1 | 1 | probabilities | log loss |
//! | [`Multiclass`] | `0..C` | `C` | probabilities | log loss |
//!
//! [`ObjectiveConfig`] names them all. The life of one: [`validate`](Objective::validate),
//! [`fit`](Objective::fit) and [`fit_scales`](Objective::fit_scales) to the training targets,
//! [`loss`](Objective::loss) or [`step_loss`](Objective::step_loss) in training,
//! [`decode`](Objective::decode) and [`scores`](Objective::scores) on validation rows,
//! [`tune`](Objective::tune) at the end; it is stored with the model as it is then.

mod average;
mod bars;
mod binary;
mod class_doubt;
mod class_weights;
mod distribution;
mod evidence_weight;
mod evidential_head;
mod members;
mod moving_numbers;
mod multiclass;
mod objective_config;
mod outputs;
mod predictions;
mod quantiles;
mod regression;
mod returns_direction;
mod scale;
mod slot_scores;
mod spread;
mod step_loss;
mod targets;
mod task_weights;
mod taught;
mod threshold;
mod uncertain;
mod view;

pub use bars::Bars;
pub use binary::Binary;
pub use class_doubt::ClassDoubt;
pub use class_weights::ClassWeights;
pub use distribution::{Distribution, Family};
pub use evidence_weight::{DualWeight, EvidenceWeight};
pub use moving_numbers::MovingNumbers;
pub use multiclass::Multiclass;
pub use objective_config::ObjectiveConfig;
pub use predictions::Predictions;
pub use quantiles::{QuantileLoss, Quantiles};
pub use regression::Regression;
pub use returns_direction::ReturnsDirection;
pub use scale::Scale;
pub use spread::SpreadPredictions;
pub use step_loss::{LossInput, RowLosses, StepLoss};
pub use targets::Targets;
pub use task_weights::{LearnedWeights, TaskWeights};
pub use threshold::{Threshold, ThresholdMetric, TunedThreshold};

use burn::tensor::Tensor;
use forge_nn::{ForgeError, Forward};

use crate::metric::Scores;
use members::{decode_each, decode_members};
use slot_scores::no_teacher;

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

    /// Takes from the targets' scales, one per slot, what a loss on the model's scale needs to know of
    /// the target's own units; after [`fit`](Self::fit), where the target
    /// [is scaled](Self::is_scaled). Default: nothing.
    ///
    /// # Errors
    /// A shape error for another number of scales.
    fn fit_scales(&mut self, scales: &[Scale]) -> Result<(), ForgeError> {
        let _ = scales;
        Ok(())
    }

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
        let input = LossInput {
            weights,
            ..LossInput::new(target)
        };
        self.step_loss(forward, input).loss
    }

    /// [`loss`](Self::loss) with all that a step may look at: a teacher, numbers of the loss that move.
    ///
    /// # Shapes
    /// - forward: as in [`loss`](Self::loss)
    ///
    /// # Panics
    /// As [`row_losses`](Self::row_losses).
    fn step_loss(&self, forward: &Forward, input: LossInput) -> StepLoss {
        let (y, members) = view::flat(forward, &input.target);
        let each = |rows: Tensor<2>| view::for_members(rows, members);
        let target = each(input.target);
        let RowLosses { losses, statistics } = match input.moving {
            None => self.row_losses(y.clone(), target).into(),
            Some(moving) => self.moving_row_losses(y.clone(), target, moving),
        };
        let losses = match input.teacher {
            None => losses,
            Some((teacher, how)) => {
                let soft = self.teacher_losses(y, each(teacher), how.temperature);
                how.mix(losses, soft)
            }
        };
        let losses = view::mean_over_members(losses, members);
        let statistics = statistics.map(|all| {
            let columns = all.dims()[1];
            let mean = |at: usize| {
                let column = all.clone().narrow(1, at, 1).squeeze_dim(1);
                let column = view::mean_over_members(column, members);
                view::weighted_mean(column, input.weights.clone())
            };
            Tensor::cat((0..columns).map(mean).collect(), 0)
        });
        let mean = self.reduce(losses, input.weights);
        let loss = match &forward.penalty {
            None => mean,
            Some(penalty) => {
                let dtype = mean.dtype();
                mean.add(penalty.clone().cast(dtype))
            }
        };
        StepLoss { loss, statistics }
    }

    /// How the rows' losses become one: their weighted mean, unless the objective looks at the worst
    /// of them.
    ///
    /// # Shapes
    /// - losses, weights: `[B]`
    /// - output: `[1]`
    ///
    /// # Panics
    /// If the shapes differ.
    fn reduce(&self, losses: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
        view::weighted_mean(losses, weights)
    }

    /// Whether the loss of a batch is no mean of its rows' losses, so that it cannot be computed in
    /// parts. Default: no.
    fn rows_interact(&self) -> bool {
        false
    }

    /// Numbers of the loss that move from step to step (weights of tasks, a multiplier), as they start.
    /// None for most objectives. [`MovingNumbers`] holds them in a run.
    fn moving(&self) -> Vec<f64> {
        Vec::new()
    }

    /// [`row_losses`](Self::row_losses) with these [moving numbers](Self::moving), and what they move
    /// by.
    ///
    /// # Shapes
    /// - y, target: as in [`row_losses`](Self::row_losses)
    /// - moving: `[M]`
    ///
    /// # Panics
    /// As [`row_losses`](Self::row_losses).
    fn moving_row_losses(&self, y: Tensor<2>, target: Tensor<2>, moving: Tensor<1>) -> RowLosses {
        let _ = moving;
        self.row_losses(y, target).into()
    }

    /// The moving numbers after a step whose mean statistics these were.
    ///
    /// # Shapes
    /// - moving, statistics and output: `[M]`
    fn moved(&self, moving: Tensor<1>, statistics: Tensor<1>) -> Tensor<1> {
        let _ = statistics;
        moving
    }

    /// What a teacher says, as [`teacher_losses`](Self::teacher_losses) takes it, row by row. The teacher
    /// may be of another architecture, preprocessing and objective, as long as it says what this
    /// objective predicts: values (any number's point), quantiles (also those of a distribution),
    /// probabilities of the same classes, a distribution of any family (buckets too), numbers with
    /// directions.
    ///
    /// # Errors
    /// An unsupported error for predictions that this objective cannot learn from; a shape error for
    /// another number of targets or classes.
    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        let _ = scales;
        Err(no_teacher(teacher))
    }

    /// What every row costs by which the model says something else than the teacher: the same loss as
    /// against the target for numbers, `T²` times the divergence of what both say at temperature
    /// `T` for classes, `KL(teacher ‖ student)` for distributions, of which the teacher's entropy is
    /// left out where the student's family has no closed form. Weights of classes do not count here.
    ///
    /// # Shapes
    /// - y: `[B, S·W]`
    /// - teacher: `[B, ·]`, as [`teacher_values`](Self::teacher_values) has it
    /// - output: `[B]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
        let _ = temperature;
        self.row_losses(y, teacher)
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

    /// What each of `K` members says: one list of predictions per member. [`Predictions::average`]
    /// of them is [`decode_members`](Self::decode_members).
    ///
    /// # Shapes
    /// - outputs: `[N x K x D_out]`, as the model gives them
    ///
    /// # Errors
    /// As [`decode_members`](Self::decode_members).
    fn decode_each(
        &self,
        outputs: &[f64],
        members: usize,
        scales: &[Scale],
    ) -> Result<Vec<Predictions>, ForgeError> {
        decode_each(self, outputs, members, scales)
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
