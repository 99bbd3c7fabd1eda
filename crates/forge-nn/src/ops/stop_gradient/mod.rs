//! The identity through which no gradient flows.

mod backward;
#[cfg(feature = "capture")]
mod capture;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::{has_traits, records};

/// [`stop_gradient`] on backend primitives. Each level of `Autodiff` cuts its own graph and hands
/// on; a backend without gradients has nothing to cut.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
    Capture: cfg(feature = "capture"),
)]
pub trait StopGradientOps: Backend {
    /// `x`, as a constant.
    #[fusion(default)]
    fn stop_gradient(x: FloatTensor<Self>) -> FloatTensor<Self> {
        x
    }
}

#[cfg(feature = "flex")]
impl StopGradientOps for burn::backend::Flex {}

#[cfg(feature = "ndarray")]
impl StopGradientOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl StopGradientOps for burn_cubecl::CubeBackend {}

/// `x`, as a constant: the identity whose gradient is zero, at every level of differentiation.
///
/// What Burn's `Tensor::detach` does for ordinary gradients. It differs where that leaves no
/// trace: under `Autodiff<Autodiff<B>>` it cuts both levels, and with this crate's feature
/// `capture` a captured graph has the custom operation [`STOP_GRADIENT`] at this place, so that
/// whoever differentiates the graph knows where to stop and an exporter can write an identity.
/// Without that feature a captured graph shows nothing.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::ops::stop_gradient;
///
/// let x = Tensor::<1>::from_data([3.0], &Device::flex().autodiff()).require_grad();
/// let gradients = (x.clone() * stop_gradient(x.clone())).sum().backward();
/// assert_eq!(x.grad(&gradients).map(|g| g.into_scalar::<f32>()), Some(3.0));
/// ```
///
/// # Shapes
/// - x and output: any
#[must_use]
pub fn stop_gradient<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let device = x.device();
    match has_traits(&device) || records(&device) {
        true => Tensor::from_dispatch(<Dispatch as StopGradientOps>::stop_gradient(
            x.into_dispatch(),
        )),
        false => x.detach(),
    }
}

/// The name of [`stop_gradient`] in a captured graph: one input, one output of the same shape and
/// type.
pub const STOP_GRADIENT: &str = "forge.stop_gradient";
