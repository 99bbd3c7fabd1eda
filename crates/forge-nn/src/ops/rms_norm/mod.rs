//! RMSNorm over the last axis.

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

/// RMSNorm on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait RmsNormOps: Backend {
    /// The normalised `x`, times `weight`.
    #[fusion(dtype = x, shape = x)]
    fn fused_rms_norm(
        x: FloatTensor<Self>,
        #[extension_type] weight: OptionalFloat<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, weight.into_option(), epsilon)
    }

    /// The gradients of `x`, weight `[D]`.
    #[fusion(meta = |x, _weight, _dy, _epsilon| (x.clone(), last_axis(x)))]
    fn fused_rms_norm_backward(
        x: FloatTensor<Self>,
        #[extension_type] weight: OptionalFloat<Self>,
        dy: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(x, weight.into_option(), dy, epsilon)
    }
}

#[cfg(feature = "ndarray")]
impl RmsNormOps for burn::backend::NdArray {}

/// Root-mean-square normalisation over the last axis: `x / sqrt(mean(x²) + eps) · weight`
/// (Zhang and Sennrich 2019, Eq. 4, with the usual epsilon inside the root).
///
/// # Shapes
/// - `x`, output: `[…, D]`
/// - `weight`: `[D]`
///
/// # Panics
/// If the shapes do not fit, naming them.
pub fn rms_norm<const D: usize>(
    x: Tensor<D>,
    weight: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    if let Some(weight) = &weight {
        assert!(
            weight.dims() == [width],
            "rms_norm: weight {:?} does not fit x {:?}",
            weight.dims(),
            x.dims()
        );
    }
    let traits = has_traits(&x.device());
    let x = x.into_dispatch();
    let weight = weight.map(Tensor::into_dispatch);
    Tensor::from_dispatch(if traits {
        let weight = weight.map_or(OptionalFloat::Absent, OptionalFloat::Present);
        <Dispatch as RmsNormOps>::fused_rms_norm(x, weight, epsilon)
    } else {
        reference::forward::<Dispatch>(x, weight, epsilon)
    })
}
