//! Softmax along one axis.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::half::in_f32;

/// Softmax on backend primitives.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait SoftmaxOps: Backend {
    /// `exp(x - max) / Σ exp(x - max)` along `dim`.
    #[fusion(default)]
    fn fused_softmax(x: FloatTensor<Self>, dim: usize) -> FloatTensor<Self> {
        reference::forward::<Self>(x, dim)
    }

    /// The gradient of the input from the output `y`.
    #[fusion(default)]
    fn fused_softmax_backward(
        y: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        reference::backward::<Self>(y, dy, dim)
    }
}

#[cfg(feature = "ndarray")]
impl SoftmaxOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl SoftmaxOps for burn_cubecl::CubeBackend {}

/// Softmax along `dim`, with the maximum subtracted first. Half precision is computed in f32.
///
/// # Shapes
/// - `x`, output: any
///
/// # Panics
/// If `dim` is not below the rank or `x` has more elements than can be addressed.
pub fn softmax<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    assert!(dim < D, "softmax: dim {dim} of a tensor of rank {D}");
    assert_addressable("softmax", &[&x.dims()]);
    in_f32(x, |x| {
        let traits = has_traits(&x.device());
        let x = x.into_dispatch();
        Tensor::from_dispatch(if traits {
            <Dispatch as SoftmaxOps>::fused_softmax(x, dim)
        } else {
            reference::forward::<Dispatch>(x, dim)
        })
    })
}
