//! One number per target.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::outputs::{Outputs, check_scales};
use super::slot_scores::{check_rows, slot_scores, wrong_kind};
use super::{Objective, Predictions, Scale, Targets, view};
use crate::loss::{LossConfig, RegressionLoss};
use crate::metric::{RegressionMetrics, Scores};

/// Predicts one number per target column.
///
/// Scores: `rmse`, `mae`, `r2` (undefined where the target does not vary).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// The loss of each target on its standardised scale. Default: Huber.
    pub loss: LossConfig,
    /// Number of target columns, `S`; set by [`fit`](Objective::fit). Default 1.
    pub targets: usize,
}

impl Default for Regression {
    fn default() -> Self {
        Self {
            loss: LossConfig::default(),
            targets: 1,
        }
    }
}

impl Objective for Regression {
    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("objective.targets", self.targets)?;
        if matches!(self.loss, LossConfig::Quantile(_)) {
            return Err(ForgeError::config(
                "objective.loss",
                &self.loss,
                "a loss of one output per target; for quantiles use the objective 'quantiles'",
            ));
        }
        self.loss.validate()
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
            let m = RegressionMetrics::compute(&pred.point_of(slot), &target.column(slot))?;
            Ok(m.after(Scores::new()))
        })
    }
}
