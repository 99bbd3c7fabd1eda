//! Depthwise convolution over time: each channel by a filter of its own.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::same_dtype::assert_same_dtype;

/// The convolution on backend primitives, x `[B, C, T]` and weight `[C, 1, K]`, K odd.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait DepthwiseOps: Backend {
    /// The convolved channels.
    #[fusion(default)]
    fn fused_depthwise(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::forward::<Self>(x, weight)
    }

    /// The gradients of x and weight.
    #[fusion(default)]
    fn fused_depthwise_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(x, weight, dy)
    }
}

#[cfg(feature = "ndarray")]
impl DepthwiseOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl DepthwiseOps for burn_cubecl::CubeBackend {}

/// `y[b, c, t] = Σ_k weight[c, 0, k] x[b, c, t + k - (K - 1) / 2]`, zeros beyond both ends: PyTorch's
/// `conv1d` with as many groups as channels and `padding = K // 2`.
///
/// # Shapes
/// - x, output: `[B, C, T]`
/// - weight: `[C, 1, K]`, K odd
///
/// # Panics
/// If the shapes do not fit, K is even, the element types differ, or there are more elements than can be
/// addressed.
#[must_use]
pub fn depthwise_conv1d(x: Tensor<3>, weight: Tensor<3>) -> Tensor<3> {
    let (of_x, of_weight) = (x.dims(), weight.dims());
    let [channels, one, size] = of_weight;
    assert!(
        channels == of_x[1] && one == 1 && !size.is_multiple_of(2),
        "depthwise_conv1d: weight {of_weight:?} does not fit x {of_x:?}: expected [{}, 1, an odd size]",
        of_x[1]
    );
    assert_same_dtype(
        "depthwise_conv1d",
        &[("x", Some(x.dtype())), ("weight", Some(weight.dtype()))],
    );
    assert_addressable("depthwise_conv1d", &[&of_x, &of_weight]);
    let traits = has_traits(&x.device());
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as DepthwiseOps>::fused_depthwise(x, weight)
    } else {
        reference::forward::<Dispatch>(x, weight)
    })
}
