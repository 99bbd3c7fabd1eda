//! The linear layer: product, bias and activation in one operation.

mod activation;
mod backward;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

pub use activation::LinearActivation;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
#[cfg(feature = "fusion")]
use super::fusion::last_axis;
use super::optional::OptionalFloat;

/// The linear layer on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait LinearOps: Backend {
    /// `activation(x weight + bias)`.
    #[fusion(default)]
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, weight, bias.into_option(), activation).0
    }

    /// The output, and what the backward pass needs of the value before the activation. For the
    /// identity and ReLU that may be the output itself.
    #[fusion(default)]
    fn fused_linear_forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::forward::<Self>(x, weight, bias.into_option(), activation)
    }

    /// The gradients of `x`, `weight` and the bias `[D_out]`. Where `needs_input` is false the
    /// first may be anything.
    #[fusion(meta = |x, weight, _z, dy, _activation, _needs_input| {
        (x.clone(), weight.clone(), last_axis(dy))
    })]
    fn fused_linear_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        z: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        activation: LinearActivation,
        needs_input: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let _ = needs_input;
        reference::backward::<Self>(x, weight, z, dy, activation)
    }
}

#[cfg(feature = "ndarray")]
impl LinearOps for burn::backend::NdArray {}

/// `x W + b` over the last axis.
///
/// # Shapes
/// - `x`: `[…, D_in]`
/// - `weight`: `[D_in, D_out]`, Burn's layout (the transpose of PyTorch's)
/// - `bias`: `[D_out]`
/// - output: `[…, D_out]`
///
/// # Panics
/// If the shapes do not fit, naming them, or have more elements than can be addressed.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    linear_activation(x, weight, bias, LinearActivation::Identity)
}

/// `activation(x W + b)`, the activation applied while the product is in the cache. Shapes as in
/// [`linear`].
///
/// # Panics
/// As [`linear`].
pub fn linear_activation<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: LinearActivation,
) -> Tensor<D> {
    let [inputs, outputs] = weight.dims();
    assert!(
        x.dims()[D - 1] == inputs,
        "linear: x {:?} does not fit weight [{inputs}, {outputs}]",
        x.dims()
    );
    if let Some(bias) = &bias {
        assert!(
            bias.dims() == [outputs],
            "linear: bias {:?} does not fit weight [{inputs}, {outputs}]",
            bias.dims()
        );
    }
    let mut output = x.dims();
    output[D - 1] = outputs;
    assert_addressable("linear", &[&x.dims(), &weight.dims(), &output]);
    let traits = has_traits(&x.device());
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let bias = bias.map(Tensor::into_dispatch);
    Tensor::from_dispatch(if traits {
        let bias = bias.into();
        <Dispatch as LinearOps>::fused_linear(x, weight, bias, activation)
    } else {
        reference::forward::<Dispatch>(x, weight, bias, activation).0
    })
}
