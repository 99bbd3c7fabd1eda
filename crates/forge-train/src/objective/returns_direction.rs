//! A return and whether it is positive.

use burn::tensor::{Tensor, TensorData};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::outputs::{Outputs, check_scales, logit, no_yes};
use super::slot_scores::{check_rows, slot_scores, wrong_kind};
use super::{Objective, Predictions, RowLosses, Scale, Targets, TaskWeights, view};
use crate::is_default::is_default;
use crate::loss::{
    LossConfig, RegressionLoss, TaskKind, binary_cross_entropy, binary_softened_divergence,
    homoscedastic, smoothed,
};
use crate::metric::{Direction, RegressionMetrics, Scores, log_loss};

/// Predicts a number per target column, such as a return, and the probability that it is above 0, by
/// the sum of a regression loss and the log loss of the direction.
///
/// Of the two outputs of a slot the first is the return on its standardised scale, the second the logit
/// of "above 0". The direction is taken from the target itself, in its own units: what is 0 there is
/// not up.
///
/// Scores: `rmse`, `mae`, `r2` of the number, `direction_log_loss`, `direction_accuracy` at ½. Of
/// predictions that are numbers alone, such as a baseline's, `direction_log_loss` is undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnsDirection {
    /// The loss of the number on its standardised scale. Default: Huber.
    pub loss: LossConfig,
    /// What both losses count.
    pub weights: TaskWeights,
    /// Part of each direction that is spread evenly over up and down in training, in `[0, 1)`.
    /// Default 0.
    #[serde(skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
    /// Where 0 lies on the model's scale, by column; set by [`fit_scales`](Objective::fit_scales).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zero: Vec<f64>,
}

impl Default for ReturnsDirection {
    fn default() -> Self {
        Self {
            loss: LossConfig::default(),
            weights: TaskWeights::default(),
            label_smoothing: 0.0,
            targets: 1,
            zero: Vec::new(),
        }
    }
}

impl ReturnsDirection {
    /// The losses of return and direction, `[B]` each.
    fn losses(&self, y: Tensor<2>, target: Tensor<2>) -> [Tensor<1>; 2] {
        let (y, target) = view::slots(y, target, self.targets, 2);
        let up = match self.zero.is_empty() {
            true => target.clone().greater_elem(0.0),
            false => {
                let zero = TensorData::new(self.zero.clone(), [1, self.targets]);
                let zero = Tensor::<2>::from_data(zero, (&target.device(), target.dtype()));
                target.clone().greater(zero.expand(target.dims()))
            }
        };
        let up = up.float().cast(target.dtype());
        let up = smoothed(up, self.label_smoothing, 2);
        let direction = binary_cross_entropy(view::output(&y, 1), up);
        let number = self.loss.elementwise(view::output(&y, 0), target);
        [number, direction].map(view::mean_over_slots)
    }

    /// One slot of predictions that are numbers with a probability each, or numbers alone.
    fn slot(
        &self,
        pred: &Predictions,
        target: &Targets,
        slot: usize,
    ) -> Result<Scores, ForgeError> {
        let (point, truth) = (pred.point_of(slot), target.column(slot));
        let scores = RegressionMetrics::compute(&point, &truth)?.after(Scores::new());
        let up: Vec<usize> = truth.iter().map(|y| usize::from(*y > 0.0)).collect();
        let said: Vec<bool> = match pred.up_of(slot) {
            Some(p) => p.iter().map(|p| *p >= 0.5).collect(),
            None => point.iter().map(|y| *y > 0.0).collect(),
        };
        let scores = match pred.up_of(slot) {
            Some(p) => {
                let both: Vec<f64> = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
                scores.minimize("direction_log_loss", log_loss(&both, 2, &up, None)?)
            }
            None => scores.undefined("direction_log_loss", Direction::Minimize),
        };
        let right = said
            .iter()
            .zip(&up)
            .filter(|(said, up)| usize::from(**said) == **up);
        let share = right.count() as f64 / truth.len() as f64;
        Ok(scores.maximize("direction_accuracy", share))
    }
}

impl Objective for ReturnsDirection {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)?;
        check::probability("objective.label_smoothing", self.label_smoothing)?;
        self.weights.validate()?;
        if !(self.zero.is_empty() || self.zero.len() == self.targets)
            || self.zero.iter().any(|zero| !zero.is_finite())
        {
            let allowed = format!("{} finite numbers, or absent", self.targets);
            return Err(ForgeError::config(
                "objective.zero",
                format!("{:?}", self.zero),
                allowed,
            ));
        }
        self.loss.validate_for_one_output("objective.loss")
    }

    fn slots(&self) -> usize {
        self.targets
    }

    fn width(&self) -> usize {
        2
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        self.targets = target.slots();
        self.zero.clear();
        self.validate()
    }

    fn fit_scales(&mut self, scales: &[Scale]) -> Result<(), ForgeError> {
        check_scales(scales, self.targets)?;
        self.zero = scales.iter().map(|scale| scale.standardise(0.0)).collect();
        self.validate()
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let [number, direction] = self.losses(y, target);
        let [a, b] = self.weights.at_start();
        number.mul_scalar(a).add(direction.mul_scalar(b))
    }

    fn moving(&self) -> Vec<f64> {
        match self.weights {
            TaskWeights::Fixed(_) => Vec::new(),
            TaskWeights::Learned(_) => vec![0.0; 2],
        }
    }

    fn moving_row_losses(&self, y: Tensor<2>, target: Tensor<2>, moving: Tensor<1>) -> RowLosses {
        let [rows, _] = y.dims();
        let [number, direction] = self.losses(y, target);
        let s = |at: usize| {
            let s = moving.clone().narrow(0, at, 1).cast(number.dtype());
            s.expand([rows])
        };
        let losses = homoscedastic(number.clone(), s(0), TaskKind::Numbers).add(homoscedastic(
            direction.clone(),
            s(1),
            TaskKind::Classes,
        ));
        RowLosses {
            losses,
            statistics: Some(Tensor::stack(vec![number, direction], 1)),
        }
    }

    fn moved(&self, moving: Tensor<1>, statistics: Tensor<1>) -> Tensor<1> {
        let TaskWeights::Learned(learned) = self.weights else {
            return moving;
        };
        let factors = TensorData::new(self.weights.at_start().to_vec(), [2]);
        let factors = Tensor::<1>::from_data(factors, (&moving.device(), moving.dtype()));
        let weighed = moving.clone().neg().exp().mul(factors).mul(statistics);
        moving.sub(weighed.neg().add_scalar(0.5).mul_scalar(learned.rate))
    }

    /// Numbers on the model's scale and logits: `[N, S·2]` as the outputs are.
    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        check_scales(scales, self.targets)?;
        let Predictions::Directions { slots, values, up } = teacher else {
            return Err(wrong_kind(teacher, "numbers with directions"));
        };
        view::same_slots(*slots, self.targets)?;
        let pairs = values.iter().zip(up).enumerate();
        Ok(pairs
            .flat_map(|(at, (value, p))| {
                let scale = &scales[at % self.targets];
                [scale.standardise(*value), logit(*p)]
            })
            .collect())
    }

    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
        let [rows, _] = y.dims();
        let teacher = teacher.reshape([rows, self.targets, 2]);
        let (y, number) = view::slots(y, view::output(&teacher, 0), self.targets, 2);
        let logit = view::output(&teacher, 1).cast(y.dtype());
        let direction = binary_softened_divergence(view::output(&y, 1), logit, temperature);
        let number = self.loss.elementwise(view::output(&y, 0), number);
        let [number, direction] = [number, direction].map(view::mean_over_slots);
        let [a, b] = self.weights.at_start();
        number.mul_scalar(a).add(direction.mul_scalar(b))
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        check_scales(scales, self.targets)?;
        let outputs = Outputs::new(outputs, self.targets, 2)?;
        let (mut values, mut up) = (Vec::new(), Vec::new());
        for (slot, y) in outputs.slots() {
            values.push(scales[slot].restore(y[0]));
            up.push(no_yes(y[1])[1]);
        }
        Ok(Predictions::Directions {
            slots: self.targets,
            values,
            up,
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        if !matches!(
            pred,
            Predictions::Directions { .. } | Predictions::Values { .. }
        ) {
            return Err(wrong_kind(pred, "numbers with directions"));
        }
        check_rows(pred, target, self.targets)?;
        slot_scores(self.targets, |slot| self.slot(pred, target, slot))
    }
}
