//! Tukey's biweight loss.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{RegressionLoss, residual};

/// `c²/6 (1 - (1 - (r/c)²)³)` where `|r| <= c`, else `c²/6` (Beaton and Tukey 1974): residuals
/// beyond `c` have no influence at all.
///
/// The residual is not scaled by a spread estimate; scale the target or `c`. Since far residuals
/// have no gradient, start from a model that is roughly right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tukey {
    /// Where influence ends, in the target's units. Above 0; default 4.685, which is 95 % as
    /// efficient as least squares on normal residuals of unit variance.
    pub c: f64,
}

impl Default for Tukey {
    fn default() -> Self {
        Self { c: 4.685 }
    }
}

impl RegressionLoss for Tukey {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("loss.c", self.c)
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        // At |r/c| = 1 value and slope of both branches agree, so clamping is the mask.
        // Multiplied by 1/c, not divided by c: the backward pass of Burn 0.22's `div_scalar` rounds
        // its scalar to f32.
        let u = residual(pred, target)
            .mul_scalar(1.0 / self.c)
            .clamp(-1.0, 1.0);
        let u2 = u.clone().mul(u);
        // 1 - (1 - u²)³ = u² (3 - 3u² + u⁴), which does not cancel near zero.
        let inner = u2.clone().sub_scalar(3.0).mul(u2.clone()).add_scalar(3.0);
        u2.mul(inner).mul_scalar(self.c * self.c / 6.0)
    }
}
