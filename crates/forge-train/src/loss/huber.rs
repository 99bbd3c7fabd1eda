//! The Huber loss.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `r²/2` where `|r| <= delta`, else `delta (|r| - delta/2)` (Huber 1964).
///
/// PyTorch's `HuberLoss`. Its `SmoothL1Loss(beta)` is this divided by `beta = delta`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// Where the square becomes a line, in the target's units. Above 0, default 1.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl RegressionLoss for Huber {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("loss.delta", self.delta)
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let a = residual(pred, target).abs();
        // With c = min(a, delta) both branches are c (a - c/2): no mask, and no r² to overflow.
        let c = a.clone().clamp_max(self.delta);
        a.sub(c.clone().mul_scalar(0.5)).mul(c)
    }
}
