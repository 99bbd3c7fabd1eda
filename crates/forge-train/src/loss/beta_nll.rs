//! The weighed likelihood of Seitzer et al.

use burn::tensor::Tensor;
use forge_nn::ops::stop_gradient;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{residual, same_shape};

/// `⌊s^{2β}⌋ (ln s + ½ (r/s)²)` for a mean and a standard deviation `s`, element by element, `⌊·⌋` being
/// without gradient (Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic Uncertainty
/// Estimation", arXiv 2203.09168, eq. 4). The likelihood trains rows of large spread little; here `β`
/// gives them back what they lack: 0 is the normal log likelihood less its constant, 1 trains the
/// mean as the squared error does.
///
/// The value is no likelihood: compare models by scores. `s` must be above 0.
///
/// # Shapes
/// - mean, scale, target: `[B, S]` (any rank)
/// - output: that of `target`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn beta_nll<const D: usize>(
    mean: Tensor<D>,
    scale: Tensor<D>,
    target: Tensor<D>,
    beta: f64,
) -> Tensor<D> {
    same_shape("scale", &scale, &target);
    let log = scale.clone().log();
    let weight = stop_gradient(log.clone()).mul_scalar(2.0 * beta).exp();
    let u = residual(mean, target).div(scale);
    let nll = u.clone().mul(u).mul_scalar(0.5).add(log);
    weight.mul(nll)
}

/// The parameter of [`beta_nll`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BetaNll {
    /// In `[0, 1]`; the paper's ½.
    pub beta: f64,
}

impl Default for BetaNll {
    fn default() -> Self {
        Self { beta: 0.5 }
    }
}

impl BetaNll {
    /// Checks the field.
    ///
    /// # Errors
    /// A config error naming it, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("loss.beta", self.beta, 0.0..=1.0)
    }
}
