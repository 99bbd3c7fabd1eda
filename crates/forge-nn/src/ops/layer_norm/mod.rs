//! LayerNorm over the last axis.

mod backward;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
#[cfg(feature = "fusion")]
use super::fusion::last_axis;
use super::optional::OptionalFloat;

/// LayerNorm on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait LayerNormOps: Backend {
    /// The normalised `x`, times `weight`, plus `bias`.
    #[fusion(dtype = x, shape = x)]
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        #[extension_type] weight: OptionalFloat<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, weight.into_option(), bias.into_option(), epsilon)
    }

    /// The gradients of `x`, weight `[D]` and bias `[D]`.
    #[fusion(meta = |x, _weight, _dy, _epsilon| {
        let parameter = last_axis(x);
        (x.clone(), parameter.clone(), parameter)
    })]
    fn fused_layer_norm_backward(
        x: FloatTensor<Self>,
        #[extension_type] weight: OptionalFloat<Self>,
        dy: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(x, weight.into_option(), dy, epsilon)
    }
}

#[cfg(feature = "ndarray")]
impl LayerNormOps for burn::backend::NdArray {}

/// Layer normalisation over the last axis: `(x - mean) / sqrt(var + eps) · weight + bias`, with
/// the biased variance (Ba et al. 2016, Eq. 3–4).
///
/// # Shapes
/// - `x`, output: `[…, D]`
/// - `weight`, `bias`: `[D]`
///
/// # Panics
/// If the shapes do not fit, naming them.
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    for (name, part) in [("weight", &weight), ("bias", &bias)] {
        if let Some(part) = part {
            assert!(
                part.dims() == [width],
                "layer_norm: {name} {:?} does not fit x {:?}",
                part.dims(),
                x.dims()
            );
        }
    }
    let traits = has_traits(&x.device());
    let x = x.into_dispatch();
    let weight = weight.map(Tensor::into_dispatch);
    let bias = bias.map(Tensor::into_dispatch);
    Tensor::from_dispatch(if traits {
        <Dispatch as LayerNormOps>::fused_layer_norm(
            x,
            weight.map_or(OptionalFloat::Absent, OptionalFloat::Present),
            bias.map_or(OptionalFloat::Absent, OptionalFloat::Present),
            epsilon,
        )
    } else {
        reference::forward::<Dispatch>(x, weight, bias, epsilon)
    })
}
