//! Depthwise convolution over the past: each channel by a filter of its own that sees no later token.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::optional::OptionalFloat;
use super::same_dtype::assert_same_dtype;

/// The convolution on backend primitives, shapes as in [`causal_conv1d`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait CausalConvOps: Backend {
    /// The convolved tokens.
    #[fusion(default)]
    fn fused_causal_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, weight, bias.into_option())
    }

    /// The gradients of x, weight and the bias `[C]`.
    #[fusion(default)]
    fn fused_causal_conv_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(x, weight, dy)
    }
}

#[cfg(feature = "ndarray")]
impl CausalConvOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl CausalConvOps for burn_cubecl::CubeBackend {}

/// `y[b, t, c] = bias[c] + Σ_k weight[c, 0, k] x[b, t + k - (K - 1), c]`, zeros before the first token:
/// PyTorch's `conv1d` over time with as many groups as channels and `padding = K - 1`, cut to the length of
/// x.
///
/// # Shapes
/// - x, output: `[B, T, C]`
/// - weight: `[C, 1, K]`, the last tap on the present token
/// - bias: `[C]`
///
/// # Panics
/// If the shapes do not fit, the element types differ, or there are more elements than can be addressed.
#[must_use]
pub fn causal_conv1d(x: Tensor<3>, weight: Tensor<3>, bias: Option<Tensor<1>>) -> Tensor<3> {
    let (of_x, of_weight) = (x.dims(), weight.dims());
    let [channels, one, size] = of_weight;
    let of_bias = bias.as_ref().map(Tensor::dims);
    assert!(
        channels == of_x[2] && one == 1 && size > 0 && of_bias.is_none_or(|[n]| n == channels),
        "causal_conv1d: weight {of_weight:?} and bias {of_bias:?} do not fit x {of_x:?}: expected [{}, 1, at least 1]",
        of_x[2]
    );
    let types = [
        ("x", Some(x.dtype())),
        ("weight", Some(weight.dtype())),
        ("bias", bias.as_ref().map(Tensor::dtype)),
    ];
    assert_same_dtype("causal_conv1d", &types);
    assert_addressable("causal_conv1d", &[&of_x, &of_weight]);
    let traits = has_traits(&x.device());
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let bias = bias.map(Tensor::into_dispatch);
    Tensor::from_dispatch(if traits {
        <Dispatch as CausalConvOps>::fused_causal_conv(x, weight, bias.into())
    } else {
        reference::forward::<Dispatch>(x, weight, bias)
    })
}
