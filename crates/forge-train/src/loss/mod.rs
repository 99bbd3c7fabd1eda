//! What is minimised, written once over Burn's tensors.
//!
//! - Regression losses compare a prediction with its target. The residual is `r = target - pred`
//!   everywhere; they differ by what they do to large residuals and by sign. [`LossConfig`] names
//!   them all, and sums of them.
//! - Losses of classes: [`binary_cross_entropy`], [`cross_entropy`], [`binary_focal`], [`focal`].
//!   [`ClassLoss`] names them.
//! - Losses of distributions compare their parameters with what happened: [`gaussian_nll`],
//!   [`beta_nll`], [`gaussian_crps`] ([`DistributionLoss`] names them), [`student_t_nll`],
//!   [`quantile_crps`], [`Evidence`]. Which outputs of a model those parameters are is for an
//!   [objective](crate::objective) to say.
//! - Of rows' losses: [`Reduction`], [`Cvar`]. Of several tasks: [`UncertaintyWeights`]. Of a teacher:
//!   [`Distillation`].
//!
//! What lies outside a loss's domain (classes, probabilities, weights) is refused on the host, by
//! [`Targets`](crate::objective::Targets) and [`check_weights`]: a tensor cannot tell.
//!
//! `docs/losses.md` in the repository has them all in one table.

mod asymmetric;
mod beta_nll;
mod binary_cross_entropy;
mod check_weights;
mod class_loss;
mod combined;
mod cross_entropy;
mod crps;
mod cvar;
mod distillation;
mod distribution_loss;
mod evidence;
mod focal;
mod gaussian_nll;
mod huber;
mod log_cosh;
mod loss_config;
mod mae;
mod mse;
mod qlike;
mod quantile;
mod reduction;
mod smoothed;
mod student_t_nll;
mod tukey;
mod uncertainty_weights;
mod wing;

pub use asymmetric::Asymmetric;
pub use beta_nll::{BetaNll, beta_nll};
pub use binary_cross_entropy::binary_cross_entropy;
pub use check_weights::check_weights;
pub use class_loss::ClassLoss;
pub use combined::{Combined, WeightedLoss};
pub use cross_entropy::{cross_entropy, smoothed_cross_entropy};
pub use crps::{gaussian_crps, quantile_crps};
pub use cvar::Cvar;
pub use distillation::{Distillation, binary_softened_divergence, softened_divergence};
pub use distribution_loss::DistributionLoss;
pub use evidence::Evidence;
pub use focal::{Focal, binary_focal, focal};
pub use forge_nn::activation::softplus;
pub use gaussian_nll::gaussian_nll;
pub use huber::Huber;
pub use log_cosh::LogCosh;
pub use loss_config::LossConfig;
pub use mae::Mae;
pub use mse::Mse;
pub use qlike::Qlike;
pub use quantile::{Quantile, check_quantiles};
pub use reduction::Reduction;
pub use smoothed::smoothed;
pub use student_t_nll::student_t_nll;
pub use tukey::Tukey;
pub use uncertainty_weights::{TaskKind, UncertaintyWeights, homoscedastic};
pub use wing::Wing;

pub(crate) use crps::level_weights;

use burn::tensor::Tensor;
use forge_nn::ForgeError;

/// A loss of predictions against targets, element by element.
pub trait RegressionLoss {
    /// Checks the loss's own fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    fn validate(&self) -> Result<(), ForgeError>;

    /// The loss of every element.
    ///
    /// # Shapes
    /// - pred: `[B, D_out]` (any rank)
    /// - target: that of `pred`; for [`Quantile`] with 1 in the last axis
    /// - output: that of `pred`
    ///
    /// # Panics
    /// If the shapes do not fit; the message has both. Nothing is broadcast silently.
    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D>;

    /// The loss, reduced.
    ///
    /// # Shapes
    /// - pred, target: as in [`elementwise`](Self::elementwise)
    /// - output: that of `pred` for [`Reduction::None`], else 1 in every axis
    ///
    /// # Panics
    /// As [`elementwise`](Self::elementwise).
    fn forward<const D: usize>(
        &self,
        pred: Tensor<D>,
        target: Tensor<D>,
        reduction: Reduction,
    ) -> Tensor<D> {
        reduction.apply(self.elementwise(pred, target))
    }

    /// The loss with sample weights, reduced as [`Reduction::apply_weighted`] has it.
    ///
    /// # Shapes
    /// - pred, target: as in [`elementwise`](Self::elementwise)
    /// - weights: those of `pred`, finite and at least 0
    /// - output: that of `pred` for [`Reduction::None`], else 1 in every axis
    ///
    /// # Panics
    /// As [`elementwise`](Self::elementwise), and for weights of another shape.
    fn forward_weighted<const D: usize>(
        &self,
        pred: Tensor<D>,
        target: Tensor<D>,
        weights: Tensor<D>,
        reduction: Reduction,
    ) -> Tensor<D> {
        reduction.apply_weighted(self.elementwise(pred, target), Some(weights))
    }

    /// The mean over all elements: the scalar that training minimises.
    ///
    /// # Shapes
    /// - pred, target: as in [`elementwise`](Self::elementwise)
    /// - output: `[1]`
    ///
    /// # Panics
    /// As [`elementwise`](Self::elementwise).
    fn mean<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<1> {
        self.elementwise(pred, target).mean()
    }
}

/// `target - pred`, refusing to broadcast.
fn residual<const D: usize>(pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
    same_shape("pred", &pred, &target);
    target.sub(pred)
}

/// Panics unless `tensor`, called `what` in the message, has the target's shape.
fn same_shape<const D: usize>(what: &str, tensor: &Tensor<D>, target: &Tensor<D>) {
    assert_eq!(
        tensor.dims(),
        target.dims(),
        "loss: {what} has shape {:?}, target {:?}; they must be equal",
        tensor.dims(),
        target.dims()
    );
}
