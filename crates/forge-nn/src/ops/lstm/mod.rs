//! The recurrence of long short-term memory.

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

/// The recurrence on backend primitives; shapes as in [`lstm`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait LstmOps: Backend {
    /// The outputs, and the last memory after them.
    #[fusion(default)]
    fn fused_lstm(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(gates, recurrent, hidden, cell)
    }

    /// The gradients of gates, recurrent weights, and first output and memory.
    #[fusion(default)]
    #[allow(clippy::type_complexity)]
    fn fused_lstm_backward(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        reference::backward::<Self>(gates, recurrent, hidden, cell, dy)
    }
}

#[cfg(feature = "ndarray")]
impl LstmOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl LstmOps for burn_cubecl::CubeBackend {}

/// Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)
/// from the inputs' part of the gates, which is one product for all steps:
///
/// ```text
/// ĩ, f̃, g̃, õ = gates_t + h_{t-1} U
/// c_t = σ(f̃) c_{t-1} + σ(ĩ) tanh(g̃)     h_t = σ(õ) tanh(c_t)
/// ```
///
/// # Shapes
/// - gates: `[B, T, 4 D]`, the parts in the order i, f, g, o
/// - recurrent (`U`): `[D, 4 D]`
/// - hidden (`h_0`), cell (`c_0`): `[B, D]`
/// - output: `[B, T + 1, D]`: all `h`, then the last `c`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or a tensor has more elements
/// than can be addressed.
#[must_use]
pub fn lstm(
    gates: Tensor<3>,
    recurrent: Tensor<2>,
    hidden: Tensor<2>,
    cell: Tensor<2>,
) -> Tensor<3> {
    let [batch, time, width] = gates.dims();
    let state = [batch, width / 4];
    assert!(
        width.is_multiple_of(4)
            && recurrent.dims() == [width / 4, width]
            && hidden.dims() == state
            && cell.dims() == state,
        "lstm: recurrent {:?}, hidden {:?} or cell {:?} does not fit gates {:?}",
        recurrent.dims(),
        hidden.dims(),
        cell.dims(),
        gates.dims()
    );
    assert_same_dtype(
        "lstm",
        &[
            ("gates", Some(gates.dtype())),
            ("recurrent", Some(recurrent.dtype())),
            ("hidden", Some(hidden.dtype())),
            ("cell", Some(cell.dtype())),
        ],
    );
    let output = [batch, time.saturating_add(1), width / 4];
    assert_addressable("lstm", &[&gates.dims(), &recurrent.dims(), &output]);
    let traits = has_traits(&gates.device());
    let (gates, recurrent) = (gates.into_dispatch(), recurrent.into_dispatch());
    let (hidden, cell) = (hidden.into_dispatch(), cell.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as LstmOps>::fused_lstm(gates, recurrent, hidden, cell)
    } else {
        reference::forward::<Dispatch>(gates, recurrent, hidden, cell)
    })
}
