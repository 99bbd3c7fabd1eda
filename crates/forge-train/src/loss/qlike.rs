//! QLIKE, of logarithms.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// Past this difference of logarithms the exponential goes on as a straight line: `e^20` is 4.9e8, and its
/// gradient still a number in f32.
const LINEAR_FROM: f64 = 20.0;

/// `e^(s r) - s r - 1`: of logarithms `ln y` and `ln f` of a variance and its forecast (`s` 1) it is the
/// QLIKE `y/f - ln(y/f) - 1` (Patton 2011, equation 24 with `b = -2`), which is smallest on average where
/// `f` is the mean of `y`, also where `y` is a noisy, unbiased measure of the variance.
///
/// Its derivative in `pred` is `s (1 - e^(s r))`: a forecast that is too low costs more than one that is too
/// high. From `s r = 20` on the exponential goes on as its tangent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Qlike {
    /// `s`, what 1 in predictions and targets is in natural logarithms: the standard deviation that they
    /// were divided by. Above 0, default 1.
    pub scale: f64,
}

impl Default for Qlike {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl Qlike {
    /// The loss of a difference of logarithms, `ln y - ln f`.
    #[must_use]
    pub fn of(difference: f64) -> f64 {
        difference.exp_m1() - difference
    }
}

impl RegressionLoss for Qlike {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("loss.scale", self.scale)
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let r = residual(pred, target).mul_scalar(self.scale);
        let near = r.clone().clamp_max(LINEAR_FROM);
        let past = r.clone().sub(near.clone());
        let exp = near.exp().mul(past.add_scalar(1.0));
        exp.sub(r).sub_scalar(1.0)
    }
}
