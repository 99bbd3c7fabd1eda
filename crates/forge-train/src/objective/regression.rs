//! One number per target.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::outputs::{Outputs, check_scales};
use super::slot_scores::{check_rows, no_teacher, slot_scores, wrong_kind};
use super::{Objective, Predictions, Scale, Targets, view};
use crate::is_default::is_default;
use crate::loss::{Cvar, LossConfig, Qlike, RegressionLoss};
use crate::metric::{RegressionMetrics, Scores};

/// Predicts one number per target column.
///
/// Scores: `rmse`, `mae`, `r2` (undefined where the target does not vary); with the loss `qlike` that of
/// the targets as logarithms before them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// The loss of each target on its standardised scale. Default: Huber.
    pub loss: LossConfig,
    /// Share of a batch's rows whose losses do not count, those that are smallest, in `[0, 1)`: 0.9
    /// trains on the mean of the worst tenth of every batch ([`Cvar`]), to be right where it is
    /// hardest. Default 0: all rows count.
    #[serde(skip_serializing_if = "is_default")]
    pub cvar: f64,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
}

impl Default for Regression {
    fn default() -> Self {
        Self {
            loss: LossConfig::default(),
            cvar: 0.0,
            targets: 1,
        }
    }
}

impl Objective for Regression {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)?;
        check::probability("objective.cvar", self.cvar)?;
        self.loss.validate_for_one_output("objective.loss")
    }

    fn slots(&self) -> usize {
        self.targets
    }

    fn width(&self) -> usize {
        1
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        self.targets = target.slots();
        self.validate()
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let (y, target) = view::slots(y, target, self.targets, 1);
        view::mean_over_slots(self.loss.elementwise(y.squeeze_dim(2), target))
    }

    fn reduce(&self, losses: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
        match self.rows_interact() {
            false => view::weighted_mean(losses, weights),
            true => Cvar { level: self.cvar }.forward(losses, weights),
        }
    }

    fn rows_interact(&self) -> bool {
        self.cvar > 0.0
    }

    /// One number per target on the model's scale: a value, a median, a mean.
    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        if teacher.probabilities().is_some() {
            return Err(no_teacher(teacher));
        }
        check_scales(scales, self.targets)?;
        view::same_slots(teacher.slots(), self.targets)?;
        let points = teacher.point().into_iter().enumerate();
        let scale = |at: usize| &scales[at % self.targets];
        Ok(points.map(|(at, y)| scale(at).standardise(y)).collect())
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        check_scales(scales, self.targets)?;
        let outputs = Outputs::new(outputs, self.targets, 1)?;
        let values = outputs.slots().map(|(slot, y)| scales[slot].restore(y[0]));
        Ok(Predictions::Values {
            slots: self.targets,
            values: values.collect(),
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        if !matches!(pred, Predictions::Values { .. }) {
            return Err(wrong_kind(pred, "values"));
        }
        check_rows(pred, target, self.targets)?;
        slot_scores(self.targets, |slot| {
            let (said, happened) = (pred.point_of(slot), target.column(slot));
            let m = RegressionMetrics::compute(&said, &happened)?;
            let mut scores = Scores::new();
            if matches!(self.loss, LossConfig::Qlike(_)) {
                let losses = said.iter().zip(&happened).map(|(f, y)| Qlike::of(y - f));
                scores = scores.minimize("qlike", losses.sum::<f64>() / m.n as f64);
            }
            Ok(m.after(scores))
        })
    }
}
