//! The recurrence of xLSTM's scalar memory: exponential gates that read the last output.

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

/// The recurrence on backend primitives; shapes as in [`slstm`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait SlstmOps: Backend {
    /// The outputs.
    #[fusion(default)]
    fn fused_slstm(gates: FloatTensor<Self>, recurrent: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::forward::<Self>(gates, recurrent)
    }

    /// The gradients of gates and recurrent weights.
    #[fusion(default)]
    fn fused_slstm_backward(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(gates, recurrent, dy)
    }
}

#[cfg(feature = "ndarray")]
impl SlstmOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl SlstmOps for burn_cubecl::CubeBackend {}

/// The sLSTM of Beck et al., arXiv 2405.04517, equations (8) to (17), heads apart, from states of 0:
///
/// ```text
/// ĩ, f̃, z̃, õ = gates_t + h_{t-1} R
/// m_t = max(log σ(f̃) + m_{t-1}, ĩ)     i = exp(ĩ - m_t)     f = exp(log σ(f̃) + m_{t-1} - m_t)
/// c_t = f c_{t-1} + i tanh(z̃)           n_t = f n_{t-1} + i   h_t = σ(õ) c_t / n_t
/// ```
///
/// The forget gate is a sigmoid, as in the authors' code. `h` does not depend on `m`, which is a
/// constant for the gradients; the first step has `m = ĩ`.
///
/// # Shapes
/// - gates: `[H, B, T, 4 D]`, the parts in the order i, f, z, o
/// - recurrent (`R`): `[H, D, 4 D]`
/// - output: `[H, B, T, D]`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or a tensor has more elements
/// than can be addressed.
#[must_use]
pub fn slstm(gates: Tensor<4>, recurrent: Tensor<3>) -> Tensor<4> {
    let [heads, _, _, width] = gates.dims();
    assert!(
        width.is_multiple_of(4) && recurrent.dims() == [heads, width / 4, width],
        "slstm: recurrent {:?} does not fit gates {:?}",
        recurrent.dims(),
        gates.dims()
    );
    assert_same_dtype(
        "slstm",
        &[
            ("gates", Some(gates.dtype())),
            ("recurrent", Some(recurrent.dtype())),
        ],
    );
    assert_addressable("slstm", &[&gates.dims(), &recurrent.dims()]);
    let traits = has_traits(&gates.device());
    let (gates, recurrent) = (gates.into_dispatch(), recurrent.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as SlstmOps>::fused_slstm(gates, recurrent)
    } else {
        reference::forward::<Dispatch>(gates, recurrent)
    })
}
