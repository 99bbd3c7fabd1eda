//! One AdamW step in one pass over the parameter.

#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
mod reference;
mod step;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

pub use step::AdamWStep;

use super::dispatch::has_traits;
use super::extent::assert_addressable;

/// The AdamW step on backend primitives.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait AdamWOps: Backend {
    /// The new parameter and moments.
    #[fusion(meta = |parameter, _gradient, _moment_1, _moment_2, _step| {
        (parameter.clone(), parameter.clone(), parameter.clone())
    })]
    fn fused_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::step::<Self>(parameter, gradient, moment_1, moment_2, &step)
    }
}

#[cfg(feature = "ndarray")]
impl AdamWOps for burn::backend::NdArray {}

/// One step of AdamW with PyTorch's semantics: returns the new parameter and moments.
///
/// `p ← p (1 - lr λ)`, `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
/// `p ← p - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)`.
///
/// Takes tensors without autodiff; moments on an autodiff device are taken off it. On `flex`
/// buffers that nobody else holds are updated in place.
///
/// # Shapes
/// - all: the same, any
///
/// # Panics
/// If the shapes differ or have more elements than can be addressed.
pub fn adamw_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
    step: &AdamWStep,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let shape = parameter.dims();
    for (name, tensor) in [
        ("gradient", &gradient),
        ("moment_1", &moment_1),
        ("moment_2", &moment_2),
    ] {
        assert!(
            tensor.dims() == shape,
            "adamw_step: {name} {:?} and parameter {shape:?} differ",
            tensor.dims()
        );
    }
    assert_addressable("adamw_step", &[&shape]);
    let [parameter, gradient, moment_1, moment_2] =
        [parameter, gradient, moment_1, moment_2].map(|tensor| {
            if tensor.device().is_autodiff() {
                tensor.inner()
            } else {
                tensor
            }
        });
    let traits = has_traits(&parameter.device());
    let (p, g) = (parameter.into_dispatch(), gradient.into_dispatch());
    let (m, v) = (moment_1.into_dispatch(), moment_2.into_dispatch());
    let (p, m, v) = if traits {
        <Dispatch as AdamWOps>::fused_adamw(p, g, m, v, *step)
    } else {
        reference::step::<Dispatch>(p, g, m, v, step)
    };
    (
        Tensor::from_dispatch(p),
        Tensor::from_dispatch(m),
        Tensor::from_dispatch(v),
    )
}
