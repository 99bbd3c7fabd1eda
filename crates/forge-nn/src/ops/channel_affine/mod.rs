//! Each channel scaled, shifted and activated in one pass.

mod backward;
#[cfg(feature = "flex")]
pub(super) mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::LinearActivation;
use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::optional::OptionalFloat;
use super::same_dtype::assert_same_dtype;
use super::stop_gradient;

/// Channels scaled and shifted, on backend primitives.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait ChannelAffineOps: Backend {
    /// `activation((x - origin) · scale + shift)`.
    #[fusion(default)]
    fn fused_channel_affine(
        x: FloatTensor<Self>,
        #[extension_type] origin: OptionalFloat<Self>,
        scale: FloatTensor<Self>,
        #[extension_type] shift: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FloatTensor<Self> {
        let (origin, shift) = (origin.into_option(), shift.into_option());
        reference::forward::<Self>(x, origin, scale, shift, activation)
    }

    /// The gradients of `x`, scale and shift (as if it were there).
    #[fusion(default)]
    fn fused_channel_affine_backward(
        x: FloatTensor<Self>,
        #[extension_type] origin: OptionalFloat<Self>,
        scale: FloatTensor<Self>,
        #[extension_type] shift: OptionalFloat<Self>,
        dy: FloatTensor<Self>,
        activation: LinearActivation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (origin, shift) = (origin.into_option(), shift.into_option());
        reference::backward::<Self>(x, origin, scale, shift, dy, activation)
    }
}

#[cfg(feature = "ndarray")]
impl ChannelAffineOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl ChannelAffineOps for burn_cubecl::CubeBackend {}

/// `activation((x - origin) · scale + shift)`, with a number of each for each channel: what batch
/// normalisation is in evaluation, and the factors of a BatchEnsemble. `origin` is a constant for
/// differentiation; what is absent is 0.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::ops::{LinearActivation, channel_affine};
///
/// let of = |values: [f32; 2]| Tensor::<1>::from_data(values, &Device::flex());
/// let x = Tensor::<2>::from_data([[3.0, 5.0]], &Device::flex());
/// let (scale, shift) = (of([2.0, -0.5]), of([0.0, 1.0]));
/// let y = channel_affine(x, None, scale, Some(shift), LinearActivation::Relu);
/// assert_eq!(y.into_data(), Tensor::<2>::from_data([[6.0, 0.0]], &Device::flex()).into_data());
/// ```
///
/// # Shapes
/// - x, output: `[R, C]`
/// - origin, scale, shift: `[C]`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or `x` has more elements than
/// can be addressed.
#[must_use]
pub fn channel_affine(
    x: Tensor<2>,
    origin: Option<Tensor<1>>,
    scale: Tensor<1>,
    shift: Option<Tensor<1>>,
    activation: LinearActivation,
) -> Tensor<2> {
    let parameters = [
        ("origin", origin.as_ref()),
        ("scale", Some(&scale)),
        ("shift", shift.as_ref()),
    ];
    check_channels("channel_affine", x.dims(), 1, &parameters);
    let of_parameters = parameters.map(|(part, values)| (part, values.map(Tensor::dtype)));
    let [origin_type, scale_type, shift_type] = of_parameters;
    let x_type = ("x", Some(x.dtype()));
    let dtypes = [x_type, origin_type, scale_type, shift_type];
    assert_same_dtype("channel_affine", &dtypes);
    let traits = has_traits(&x.device());
    let origin = origin.map(|origin| stop_gradient(origin).into_dispatch());
    let shift = shift.map(Tensor::into_dispatch);
    let (x, scale) = (x.into_dispatch(), scale.into_dispatch());
    Tensor::from_dispatch(if traits {
        let (origin, shift) = (origin.into(), shift.into());
        <Dispatch as ChannelAffineOps>::fused_channel_affine(x, origin, scale, shift, activation)
    } else {
        reference::forward::<Dispatch>(x, origin, scale, shift, activation)
    })
}

/// Panics where a parameter has not one number per place along `axis`, the channels, of `shape`, or that has more elements than
/// can be addressed.
pub(super) fn check_channels<const D: usize>(
    name: &str,
    shape: [usize; D],
    axis: usize,
    parameters: &[(&str, Option<&Tensor<1>>)],
) {
    for (part, values) in parameters {
        if let Some(values) = values {
            assert!(
                values.dims() == [shape[axis]],
                "{name}: {part} {:?} does not fit x {shape:?}",
                values.dims()
            );
        }
    }
    assert_addressable(name, &[&shape]);
}
