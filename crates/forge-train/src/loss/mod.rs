//! Regression losses: what is minimised, written once over Burn's tensors.
//!
//! The residual is `r = target - pred` everywhere. Losses differ by what they do to large residuals
//! and by sign; [`LossConfig`] names them all.

mod absolute_error;
mod asymmetric;
mod huber;
mod log_cosh;
mod loss_config;
mod quantile;
mod reduction;
mod squared_error;
mod tukey;
mod wing;

pub use absolute_error::Mae;
pub use asymmetric::Asymmetric;
pub use huber::Huber;
pub use log_cosh::LogCosh;
pub use loss_config::LossConfig;
pub use quantile::Quantile;
pub use reduction::Reduction;
pub use squared_error::Mse;
pub use tukey::Tukey;
pub use wing::Wing;

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
    assert_eq!(
        pred.dims(),
        target.dims(),
        "loss: pred has shape {:?}, target {:?}; they must be equal",
        pred.dims(),
        target.dims()
    );
    target.sub(pred)
}
