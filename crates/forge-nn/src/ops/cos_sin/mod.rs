//! Cosines and sines beside each other.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;

/// Cosines and sines on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait CosSinOps: Backend {
    /// `[cos x, sin x]` along the last axis.
    #[fusion(dtype = x, shape = {
        let mut shape = x.clone();
        let last = shape.num_dims() - 1;
        shape[last] *= 2;
        shape
    })]
    fn fused_cos_sin(x: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::forward::<Self>(x)
    }

    /// The gradient of `x` from the output `y` and the output's gradient.
    #[fusion(dtype = y, shape = {
        let mut shape = y.clone();
        let last = shape.num_dims() - 1;
        shape[last] /= 2;
        shape
    })]
    fn fused_cos_sin_backward(y: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::backward::<Self>(y, dy)
    }
}

#[cfg(feature = "ndarray")]
impl CosSinOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl CosSinOps for burn_cubecl::CubeBackend {}

/// `[cos x, sin x]` along the last axis: the waves of periodic embeddings (Gorishniy et al. 2022,
/// arXiv 2203.05556, as their code orders them).
///
/// # Shapes
/// - x: `[…, D]`
/// - output: `[…, 2 D]`
///
/// # Panics
/// If the output has more elements than can be addressed.
#[must_use]
pub fn cos_sin<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let mut output = x.dims();
    output[D - 1] = output[D - 1].saturating_mul(2);
    assert_addressable("cos_sin", &[&output]);
    let traits = has_traits(&x.device());
    let x = x.into_dispatch();
    Tensor::from_dispatch(if traits {
        <Dispatch as CosSinOps>::fused_cos_sin(x)
    } else {
        reference::forward::<Dispatch>(x)
    })
}
