//! Batch normalisation over rows and positions.

mod backward;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod positions;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

use super::channel_affine::check_channels;
use super::dispatch::has_traits;
use super::half::is_half;
use super::same_dtype::assert_same_dtype;
use super::stop_gradient;

/// Norms over the rows and positions of groups, on backend primitives.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait BatchNormOps: Backend {
    /// The output `[G, R, C, S]`, and mean and biased variance `[G, C]`, constants for differentiation.
    #[fusion(default)]
    fn fused_batch_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::forward::<Self>(x, weight, bias, epsilon)
    }

    /// The gradients of `x`, weight and bias. `mean` and `var` are those of `x`, for whoever does not
    /// compute them again.
    #[fusion(default)]
    fn fused_batch_norm_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        var: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let _ = (mean, var);
        reference::backward::<Self>(x, weight, dy, epsilon)
    }
}

#[cfg(feature = "ndarray")]
impl BatchNormOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl BatchNormOps for burn_cubecl::CubeBackend {}

/// Batch normalisation of each of `G` groups of rows by its own statistics, those of a channel over rows and
/// positions,
/// `(x - mean) / sqrt(var + eps) · weight + bias` with the biased variance (Ioffe & Szegedy 2015,
/// algorithm 1); and these statistics, through which no gradient goes.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::ops::batch_norm;
///
/// let device = Device::flex();
/// let x = Tensor::<4>::from_data([[[[1.0]], [[3.0]]]], &device);
/// let (y, mean, var) = batch_norm(x, Tensor::ones([1], &device), Tensor::zeros([1], &device), 1e-5);
/// assert_eq!((y.dims(), mean.dims()), ([1, 2, 1, 1], [1, 1]));
/// assert_eq!((mean.into_scalar::<f32>(), var.into_scalar::<f32>()), (2.0, 1.0));
/// ```
///
/// # Shapes
/// - x, y: `[G, R, C, S]`; of rows by themselves `S` is 1
/// - weight, bias: `[C]`
/// - mean, var: `[G, C]`; of groups without rows 0
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or `x` has more elements than
/// can be addressed. An `x` of half precision with f32 weights is computed in f32, and y rounded.
#[must_use]
pub fn batch_norm(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
) -> (Tensor<4>, Tensor<2>, Tensor<2>) {
    let parameters = [("weight", Some(&weight)), ("bias", Some(&bias))];
    check_channels("batch_norm", x.dims(), 2, &parameters);
    let dtype = x.dtype();
    if is_half(dtype) && weight.dtype() == DType::F32 {
        let (y, mean, var) = batch_norm(x.cast(DType::F32), weight, bias, epsilon);
        return (y.cast(dtype), mean, var);
    }
    assert_same_dtype(
        "batch_norm",
        &[
            ("x", Some(dtype)),
            ("weight", Some(weight.dtype())),
            ("bias", Some(bias.dtype())),
        ],
    );
    let traits = has_traits(&x.device());
    let (x, weight, bias) = (
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    );
    if traits {
        let (y, mean, var) = <Dispatch as BatchNormOps>::fused_batch_norm(x, weight, bias, epsilon);
        (
            Tensor::from_dispatch(y),
            Tensor::from_dispatch(mean),
            Tensor::from_dispatch(var),
        )
    } else {
        let (y, mean, var) = reference::forward::<Dispatch>(x, weight, bias, epsilon);
        (
            Tensor::from_dispatch(y),
            stop_gradient(Tensor::from_dispatch(mean)),
            stop_gradient(Tensor::from_dispatch(var)),
        )
    }
}
