//! Gated linear units: one half of the features, times the activation of the other.

mod backward;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
pub(crate) mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::same_dtype::assert_same_dtype;

/// The activation of the gate in [`glu`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GluKind {
    /// GLU (Dauphin et al. 2017).
    Sigmoid,
    /// ReGLU; the slope of ReLU at 0 is 0.
    Relu,
    /// GeGLU, with the exact (erf) GELU.
    Gelu,
    /// SwiGLU with beta = 1, that is SiLU.
    Silu,
}

/// Gated linear units on backend primitives.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait GluOps: Backend {
    /// `value · act(gate)` where `x = [value, gate]` along the last axis.
    #[fusion(dtype = x, shape = {
        let mut shape = x.clone();
        let last = shape.num_dims() - 1;
        shape[last] /= 2;
        shape
    })]
    fn fused_glu(x: FloatTensor<Self>, kind: GluKind) -> FloatTensor<Self> {
        reference::forward::<Self>(x, kind)
    }

    /// The gradient of `x`.
    #[fusion(dtype = x, shape = x)]
    fn fused_glu_backward(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        kind: GluKind,
    ) -> FloatTensor<Self> {
        reference::backward::<Self>(x, dy, kind)
    }

    /// `value · act(gate)` of two tensors.
    #[fusion(default)]
    fn fused_gated(
        value: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        kind: GluKind,
    ) -> FloatTensor<Self> {
        reference::gated::<Self>(value, gate, kind)
    }

    /// The gradients of value and gate.
    #[fusion(default)]
    fn fused_gated_backward(
        value: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        kind: GluKind,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::gated_backward::<Self>(value, gate, dy, kind)
    }
}

#[cfg(feature = "ndarray")]
impl GluOps for burn::backend::NdArray {}

/// `value · act(gate)`, where the last axis of `x` is `[value, gate]` (Shazeer 2020, Eq. 5, with
/// the product of the two linear maps taken before). The activation acts on the **second** half.
///
/// # Shapes
/// - `x`: `[…, 2 D]`
/// - output: `[…, D]`
///
/// # Panics
/// If the last axis is odd or `x` has more elements than can be addressed.
pub fn glu<const D: usize>(x: Tensor<D>, kind: GluKind) -> Tensor<D> {
    assert!(
        x.dims()[D - 1].is_multiple_of(2),
        "glu: the last axis of {:?} is odd",
        x.dims()
    );
    assert_addressable("glu", &[&x.dims()]);
    let traits = has_traits(&x.device());
    let x = x.into_dispatch();
    Tensor::from_dispatch(if traits {
        <Dispatch as GluOps>::fused_glu(x, kind)
    } else {
        reference::forward::<Dispatch>(x, kind)
    })
}

/// `value · act(gate)`, of two tensors in one pass, where they lie: [`glu`] before they are put beside
/// each other.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::ops::{GluKind, gated};
///
/// let of = |values: [f32; 2]| Tensor::<1>::from_data(values, &Device::flex());
/// let y = gated(of([2.0, 3.0]), of([5.0, -1.0]), GluKind::Relu);
/// assert_eq!(y.into_data(), of([10.0, 0.0]).into_data());
/// ```
///
/// # Shapes
/// - value, gate, output: the same, any
///
/// # Panics
/// If the shapes or the element types differ, naming them, or have more elements than can be addressed.
#[must_use]
pub fn gated<const D: usize>(value: Tensor<D>, gate: Tensor<D>, kind: GluKind) -> Tensor<D> {
    assert!(
        value.dims() == gate.dims(),
        "gated: value {:?} and gate {:?} differ",
        value.dims(),
        gate.dims()
    );
    let dtypes = [("value", Some(value.dtype())), ("gate", Some(gate.dtype()))];
    assert_same_dtype("gated", &dtypes);
    assert_addressable("gated", &[&value.dims()]);
    let traits = has_traits(&value.device());
    let (value, gate) = (value.into_dispatch(), gate.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as GluOps>::fused_gated(value, gate, kind)
    } else {
        reference::gated::<Dispatch>(value, gate, kind)
    })
}

/// `value · max(gate, 0)`: [`glu`] with [`GluKind::Relu`].
///
/// # Panics
/// As [`glu`].
pub fn reglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    glu(x, GluKind::Relu)
}

/// `value · gelu(gate)`: [`glu`] with [`GluKind::Gelu`].
///
/// # Panics
/// As [`glu`].
pub fn geglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    glu(x, GluKind::Gelu)
}

/// `value · gate sigmoid(gate)`: [`glu`] with [`GluKind::Silu`].
///
/// # Panics
/// As [`glu`].
pub fn swiglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    glu(x, GluKind::Silu)
}
