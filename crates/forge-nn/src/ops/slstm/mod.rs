//! The recurrence of xLSTM's scalar memory: exponential gates that read the last output.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Tensor, TensorCreationOptions};

use super::NOTHING_YET;
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
    /// The outputs, and the last memory after them.
    #[fusion(default)]
    fn fused_slstm(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        state: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(gates, recurrent, state)
    }

    /// The gradients of gates, recurrent weights and state.
    #[fusion(default)]
    fn fused_slstm_backward(
        gates: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        state: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(gates, recurrent, state, dy)
    }
}

#[cfg(feature = "ndarray")]
impl SlstmOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl SlstmOps for burn_cubecl::CubeBackend {}

/// Cell, normaliser and stabiliser: rows of a state after the output, and of the outputs behind those of the
/// tokens.
const MEMORY: usize = 3;

/// The sLSTM of Beck et al., arXiv 2405.04517, equations (8) to (17), heads apart:
///
/// ```text
/// ĩ, f̃, z̃, õ = gates_t + h_{t-1} R
/// m_t = max(log σ(f̃) + m_{t-1}, ĩ)     i = exp(ĩ - m_t)     f = exp(log σ(f̃) + m_{t-1} - m_t)
/// c_t = f c_{t-1} + i tanh(z̃)           n_t = f n_{t-1} + i   h_t = σ(õ) c_t / n_t
/// ```
///
/// The forget gate is a sigmoid, as in the authors' code. `h` does not depend on `m`, which is a
/// constant for the gradients.
///
/// The last four rows of an output of at least one token are the state from which the next tokens go
/// on; before the first there is [`slstm_start`].
///
/// # Shapes
/// - gates: `[H, B, T, 4 D]`, the parts in the order i, f, z, o
/// - recurrent (`R`): `[H, D, 4 D]`
/// - state: `[H, B, 4, D]`: `h`, `c`, `n` and `m`
/// - output: `[H, B, T + 3, D]`: all `h`, then the last `c`, `n` and `m`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or a tensor has more elements
/// than can be addressed.
#[must_use]
pub fn slstm(gates: Tensor<4>, recurrent: Tensor<3>, state: Tensor<4>) -> Tensor<4> {
    let [heads, batch, time, width] = gates.dims();
    assert!(
        width.is_multiple_of(4)
            && recurrent.dims() == [heads, width / 4, width]
            && state.dims() == [heads, batch, 1 + MEMORY, width / 4],
        "slstm: recurrent {:?} or state {:?} does not fit gates {:?}",
        recurrent.dims(),
        state.dims(),
        gates.dims()
    );
    assert_same_dtype(
        "slstm",
        &[
            ("gates", Some(gates.dtype())),
            ("recurrent", Some(recurrent.dtype())),
            ("state", Some(state.dtype())),
        ],
    );
    let output = [heads, batch, time.saturating_add(MEMORY), width / 4];
    assert_addressable("slstm", &[&gates.dims(), &recurrent.dims(), &output]);
    let traits = has_traits(&gates.device());
    let (gates, recurrent) = (gates.into_dispatch(), recurrent.into_dispatch());
    let state = state.into_dispatch();
    Tensor::from_dispatch(if traits {
        <Dispatch as SlstmOps>::fused_slstm(gates, recurrent, state)
    } else {
        reference::forward::<Dispatch>(gates, recurrent, state)
    })
}

/// The state of [`slstm`] before the first token, `[H, B, 4, D]`.
#[must_use]
pub fn slstm_start(
    heads: usize,
    batch: usize,
    width: usize,
    options: impl Into<TensorCreationOptions>,
) -> Tensor<4> {
    let options = options.into();
    let of = |rows| [heads, batch, rows, width];
    let stabiliser = Tensor::full(of(1), NOTHING_YET, options.clone());
    // Output, cell and normaliser.
    Tensor::cat(vec![Tensor::zeros(of(3), options), stabiliser], 2)
}
