//! What is minimised, written once over Burn's tensors.
//!
//! - Regression losses compare a prediction with its target. The residual is `r = target - pred`
//!   everywhere; they differ by what they do to large residuals and by sign. [`LossConfig`] names
//!   them all.
//! - Likelihoods compare the parameters of a distribution with what happened:
//!   [`binary_cross_entropy`], [`cross_entropy`], [`gaussian_nll`], [`student_t_nll`]. Which outputs
//!   of a model those parameters are is for an [objective](crate::objective) to say.

mod asymmetric;
mod binary_cross_entropy;
mod cross_entropy;
mod gaussian_nll;
mod huber;
mod log_cosh;
mod loss_config;
mod mae;
mod mse;
mod quantile;
mod reduction;
mod smoothed;
mod softplus;
mod student_t_nll;
mod tukey;
mod wing;

pub use asymmetric::Asymmetric;
pub use binary_cross_entropy::binary_cross_entropy;
pub use cross_entropy::{cross_entropy, smoothed_cross_entropy};
pub use gaussian_nll::gaussian_nll;
pub use huber::Huber;
pub use log_cosh::LogCosh;
pub use loss_config::LossConfig;
pub use mae::Mae;
pub use mse::Mse;
pub use quantile::Quantile;
pub use reduction::Reduction;
pub use smoothed::smoothed;
pub use softplus::softplus;
pub use student_t_nll::student_t_nll;
pub use tukey::Tukey;
pub use wing::Wing;

pub(crate) use quantile::check_quantiles;

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
