//! LayerNorm and RMSNorm over the last axis: one operation, with or without the mean.

mod backward;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

use super::dispatch::has_traits;
use super::extent::assert_addressable;
#[cfg(feature = "fusion")]
use super::fusion::last_axis;
use super::half::{in_f32, is_half};
use super::optional::OptionalFloat;
use super::same_dtype::assert_same_dtype;

/// Which norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowNorm {
    /// `(x - mean) / sqrt(var + eps)`, with the biased variance.
    Layer,
    /// `x / sqrt(mean(x²) + eps)`.
    Rms,
}

impl RowNorm {
    /// Whether the mean is taken away.
    pub fn is_centred(self) -> bool {
        self == Self::Layer
    }
}

/// Norms over the last axis, on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait RowNormOps: Backend {
    /// The normalised `x`, times `weight`, plus `bias`.
    #[fusion(dtype = x, shape = x)]
    fn fused_row_norm(
        x: FloatTensor<Self>,
        #[extension_type] weight: OptionalFloat<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        norm: RowNorm,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let (weight, bias) = (weight.into_option(), bias.into_option());
        reference::forward::<Self>(x, weight, bias, norm, epsilon)
    }

    /// The gradients of `x`, weight `[D]` (as if it were there) and bias `[D]`. Where `needs_bias` is
    /// false the last may be anything.
    #[fusion(meta = |x, _weight, _dy, _norm, _epsilon, _needs_bias| {
        let parameter = last_axis(x);
        (x.clone(), parameter.clone(), parameter)
    })]
    fn fused_row_norm_backward(
        x: FloatTensor<Self>,
        #[extension_type] weight: OptionalFloat<Self>,
        dy: FloatTensor<Self>,
        norm: RowNorm,
        epsilon: f64,
        needs_bias: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let _ = needs_bias;
        reference::backward::<Self>(x, weight.into_option(), dy, norm, epsilon)
    }
}

#[cfg(feature = "ndarray")]
impl RowNormOps for burn::backend::NdArray {}

/// Layer normalisation over the last axis: `(x - mean) / sqrt(var + eps) · weight + bias`, with
/// the biased variance (Ba et al. 2016, Eq. 3–4).
///
/// # Shapes
/// - `x`, output: `[…, D]`
/// - `weight`, `bias`: `[D]`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or `x` has more elements than
/// can be addressed. An `x` of half precision with f32 weights is computed in f32 and rounded.
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    row_norm("layer_norm", x, weight, bias, RowNorm::Layer, epsilon)
}

/// Root-mean-square normalisation over the last axis: `x / sqrt(mean(x²) + eps) · weight`
/// (Zhang and Sennrich 2019, Eq. 4, with the usual epsilon inside the root).
///
/// # Shapes
/// - `x`, output: `[…, D]`
/// - `weight`: `[D]`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or `x` has more elements than
/// can be addressed. An `x` of half precision with f32 weights is computed in f32 and rounded.
pub fn rms_norm<const D: usize>(
    x: Tensor<D>,
    weight: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    row_norm("rms_norm", x, weight, None, RowNorm::Rms, epsilon)
}

fn row_norm<const D: usize>(
    name: &str,
    x: Tensor<D>,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    norm: RowNorm,
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    for (part_name, part) in [("weight", &weight), ("bias", &bias)] {
        if let Some(part) = part {
            assert!(
                part.dims() == [width],
                "{name}: {part_name} {:?} does not fit x {:?}",
                part.dims(),
                x.dims()
            );
        }
    }
    let dtype = |part: &Option<Tensor<1>>| part.as_ref().map(Tensor::dtype);
    let of_weight = dtype(&weight).or(dtype(&bias));
    if is_half(x.dtype()) && of_weight == Some(DType::F32) {
        // Weights that were left in f32 for it.
        return in_f32(x, |x| row_norm(name, x, weight, bias, norm, epsilon));
    }
    assert_same_dtype(
        name,
        &[
            ("x", Some(x.dtype())),
            ("weight", dtype(&weight)),
            ("bias", dtype(&bias)),
        ],
    );
    assert_addressable(name, &[&x.dims()]);
    let traits = has_traits(&x.device());
    let x = x.into_dispatch();
    let weight = weight.map(Tensor::into_dispatch);
    let bias = bias.map(Tensor::into_dispatch);
    Tensor::from_dispatch(if traits {
        <Dispatch as RowNormOps>::fused_row_norm(x, weight.into(), bias.into(), norm, epsilon)
    } else {
        reference::forward::<Dispatch>(x, weight, bias, norm, epsilon)
    })
}
