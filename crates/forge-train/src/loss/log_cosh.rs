//! The log-cosh loss.

use std::f64::consts::LN_2;

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `ln cosh r`: `r²/2` near zero, `|r| - ln 2` far out. Its derivative in `pred` is
/// `tanh(pred - target)`.
///
/// Exact to rounding for any finite residual: `cosh` is never formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCosh {}

impl RegressionLoss for LogCosh {
    fn validate(&self) -> Result<(), ForgeError> {
        Ok(())
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let a = residual(pred, target).abs();
        // |r| + ln(1 + exp(-2|r|)) - ln 2 cannot overflow, but cancels near zero, where
        // ln(1 + 2 sinh²(r/2)) does not. The argument of the latter is clamped so that the branch
        // that is not taken stays finite and has no gradient.
        let far = a
            .clone()
            .add(a.clone().mul_scalar(-2.0).exp().log1p())
            .sub_scalar(LN_2);
        let s = a.clone().clamp_max(1.0).mul_scalar(0.5).sinh();
        let near = s.clone().mul(s).mul_scalar(2.0).log1p();
        far.mask_where(a.lower_elem(1.0), near)
    }
}
