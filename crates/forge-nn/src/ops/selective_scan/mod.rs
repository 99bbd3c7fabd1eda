//! The selective scan of Mamba: a diagonal state per channel, whose step size, input and output
//! depend on the token.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::axes::Axes;
use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::same_dtype::assert_same_dtype;

/// The scan on backend primitives; shapes as in [`selective_scan`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait SelectiveScanOps: Backend {
    /// The outputs.
    #[fusion(default)]
    fn fused_selective_scan(
        u: FloatTensor<Self>,
        step: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        state: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>([u, step, a, b, c, state])
    }

    /// The gradients of all six inputs, in their order.
    #[fusion(default)]
    #[allow(clippy::type_complexity, clippy::too_many_arguments)]
    fn fused_selective_scan_backward(
        u: FloatTensor<Self>,
        step: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        state: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        reference::backward::<Self>([u, step, a, b, c, state], dy)
    }
}

/// The gradients of the inputs, in their order.
type Gradients<B> = (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
);

#[cfg(feature = "ndarray")]
impl SelectiveScanOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl SelectiveScanOps for burn_cubecl::CubeBackend {}

/// `h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t u_t`, `y_t = C_t · h_t`, per channel, from `h = state`, or 0:
/// algorithm 2 of Gu & Dao, arXiv 2312.00752, with the input discretised by Euler's rule as in the
/// authors' code (the paper's equation 4 has the zero-order hold).
///
/// Time and memory grow linearly with `T`. The states are not kept for the gradients but for one
/// token in some tens; the others are computed anew. The state after the last token can be read by
/// [`selective_scan_with_state`].
///
/// # Shapes
/// - u, step (`Δ`, at least 0), output: `[B, T, E]`
/// - a (`A`, below 0): `[E, N]`
/// - b, c: `[B, T, N]`
/// - state: `[B, E, N]`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or a tensor has more elements
/// than can be addressed.
#[must_use]
pub fn selective_scan(
    u: Tensor<3>,
    step: Tensor<3>,
    a: Tensor<2>,
    b: Tensor<3>,
    c: Tensor<3>,
    state: Option<Tensor<3>>,
) -> Tensor<3> {
    let ([batch, time, width], [_, states]) = (u.dims(), a.dims());
    assert!(
        step.dims() == u.dims() && a.dims()[0] == width,
        "selective_scan: step {:?} and a {:?} do not fit u {:?}",
        step.dims(),
        a.dims(),
        u.dims()
    );
    assert!(
        b.dims() == [batch, time, states] && c.dims() == b.dims(),
        "selective_scan: b {:?} and c {:?} do not fit u {:?} and a {:?}",
        b.dims(),
        c.dims(),
        u.dims(),
        a.dims()
    );
    let of_state = [batch, width, states];
    let state = state.unwrap_or_else(|| Tensor::zeros(of_state, (&u.device(), u.dtype())));
    assert!(
        state.dims() == of_state,
        "selective_scan: the state {:?} is not that of {batch} sequences with {width} channels of {states} \
         states each",
        state.dims()
    );
    assert_same_dtype(
        "selective_scan",
        &[
            ("u", Some(u.dtype())),
            ("step", Some(step.dtype())),
            ("a", Some(a.dtype())),
            ("b", Some(b.dtype())),
            ("c", Some(c.dtype())),
            ("state", Some(state.dtype())),
        ],
    );
    assert_addressable("selective_scan", &[&[batch, time, width, states]]);
    let traits = has_traits(&u.device());
    let (u, step, a) = (u.into_dispatch(), step.into_dispatch(), a.into_dispatch());
    let (b, c, state) = (b.into_dispatch(), c.into_dispatch(), state.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as SelectiveScanOps>::fused_selective_scan(u, step, a, b, c, state)
    } else {
        reference::forward::<Dispatch>([u, step, a, b, c, state])
    })
}

/// [`selective_scan`] and the state after the last token, from which the next ones can go on.
///
/// # Shapes
/// - the inputs and the outputs as there, state: `[B, E, N]`
///
/// # Panics
/// As there.
#[must_use]
pub fn selective_scan_with_state(
    u: Tensor<3>,
    step: Tensor<3>,
    a: Tensor<2>,
    b: Tensor<3>,
    c: Tensor<3>,
    state: Option<Tensor<3>>,
) -> (Tensor<3>, Tensor<3>) {
    let ([batch, time, width], [_, states]) = (u.dims(), a.dims());
    // Tokens whose step is 0 change no state, and each reads one of them.
    let zeros = |width| Tensor::zeros([batch, states, width], (&u.device(), u.dtype()));
    let (still, nothing) = (zeros(width), zeros(states));
    let reading = Tensor::<2>::eye(states, &u.device()).cast(u.dtype());
    let reading = reading.unsqueeze::<3>().expand([batch, states, states]);
    let behind = |x: Tensor<3>, more: Tensor<3>| Tensor::cat(vec![x, more], 1);
    let y = selective_scan(
        behind(u, still.clone()),
        behind(step, still),
        a,
        behind(b, nothing),
        behind(c, reading),
        state,
    );
    let state = y.clone().narrow(1, time, states).swapped(1, 2);
    (y.narrow(1, 0, time), state)
}
