//! The asymmetric linear loss.

use burn::tensor::{Tensor, activation::relu};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `under · max(r, 0) + over · max(-r, 0)`: predictions below the target cost `under_weight` per
/// unit, those above cost `over_weight`.
///
/// Linear on both sides (the quantile loss times a constant), not the LINEX loss that is sometimes
/// called by this name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asymmetric {
    /// Cost of a unit of prediction below the target. Above 0, default 1.
    pub under_weight: f64,
    /// Cost of a unit of prediction above the target. Above 0, default 1.
    pub over_weight: f64,
}

impl Default for Asymmetric {
    fn default() -> Self {
        Self {
            under_weight: 1.0,
            over_weight: 1.0,
        }
    }
}

impl RegressionLoss for Asymmetric {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("loss.under_weight", self.under_weight)?;
        check::positive("loss.over_weight", self.over_weight)
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let r = residual(pred, target);
        let under = relu(r.clone()).mul_scalar(self.under_weight);
        under.add(relu(r.neg()).mul_scalar(self.over_weight))
    }
}
