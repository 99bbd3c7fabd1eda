//! The wing loss.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `w ln(1 + |r|/e)` where `|r| < w`, else `|r| - C` with `C = w - w ln(1 + w/e)`
/// (Feng et al. 2018, eq. 5): small residuals weigh more than under the absolute error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wing {
    /// Half-width `w` of the logarithmic part, in the target's units. Above 0; the paper's 10.
    pub width: f64,
    /// Curvature `e` of the logarithmic part, in the target's units. Above 0; the paper's 2.
    pub epsilon: f64,
}

impl Default for Wing {
    fn default() -> Self {
        Self {
            width: 10.0,
            epsilon: 2.0,
        }
    }
}

impl RegressionLoss for Wing {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("loss.width", self.width)?;
        check::positive("loss.epsilon", self.epsilon)
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let a = residual(pred, target).abs();
        let c = self.width - self.width * (self.width / self.epsilon).ln_1p();
        // As in `Tukey`: the gradient of a division by a scalar is only f32 in Burn 0.22.
        let near = a
            .clone()
            .mul_scalar(1.0 / self.epsilon)
            .log1p()
            .mul_scalar(self.width);
        let inside = a.clone().lower_elem(self.width);
        a.sub_scalar(c).mask_where(inside, near)
    }
}
