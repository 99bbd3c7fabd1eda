//! Activations on their own, where no linear layer is before them to take them in.

mod backward;
#[cfg(feature = "flex")]
pub(super) mod flex;
mod kind;
pub(super) mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

pub use kind::Activation;

use super::dispatch::has_traits;
use super::expression::Expr;

/// Activations on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait ActivationOps: Backend {
    /// `activation(x)`.
    #[fusion(default)]
    fn fused_activation(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        reference::activated::<Self>(Expr(x), activation).0
    }

    /// `dy · activation'(x)`.
    #[fusion(default)]
    fn fused_activation_backward(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        reference::before_activation::<Self>(Expr(x), Expr(dy), activation).0
    }
}

#[cfg(feature = "ndarray")]
impl ActivationOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl ActivationOps for burn_cubecl::CubeBackend {}

/// `activation(x)`, element by element; the gradient of the exact GELU on every device.
///
/// # Shapes
/// - input and output: `[…]`
#[must_use]
pub fn activated<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    if x.shape().num_elements() == 0 {
        return x;
    }
    let traits = has_traits(&x.device());
    let x = x.into_dispatch();
    Tensor::from_dispatch(if traits {
        <Dispatch as ActivationOps>::fused_activation(x, activation)
    } else {
        reference::activated::<Dispatch>(Expr(x), activation).0
    })
}
