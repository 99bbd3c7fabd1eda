//! Test-time training: a small model per head that learns from every token and answers for it.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod inner;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::same_dtype::assert_same_dtype;
use inner::Inner;

/// Test-time training on backend primitives; shapes as in [`ttt`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait TttOps: Backend {
    /// The answers.
    #[fusion(default)]
    fn fused_ttt(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        rates: FloatTensor<Self>,
        scales: FloatTensor<Self>,
        parameters: FloatTensor<Self>,
        hidden: Option<usize>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>([q, k, v, rates, scales, parameters], hidden)
    }

    /// The gradients of all six inputs, in their order.
    #[fusion(default)]
    #[allow(clippy::type_complexity, clippy::too_many_arguments)]
    fn fused_ttt_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        rates: FloatTensor<Self>,
        scales: FloatTensor<Self>,
        parameters: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        hidden: Option<usize>,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let inputs = [q, k, v, rates, scales, parameters];
        let [q, k, v, rates, scales, parameters] = reference::backward::<Self>(inputs, dy, hidden);
        (q, k, v, rates, scales, parameters)
    }
}

#[cfg(feature = "ndarray")]
impl TttOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl TttOps for burn_cubecl::CubeBackend {}

/// What the layers of test-time training of Sun et al., arXiv 2407.04620, do with queries, keys and values,
/// in the dual form of its section 2.5: outputs and gradients, with the gradients through the learning.
///
/// Each head has an inner model `f`, linear (`x W + b`) or with a hidden layer behind a GELU in its tanh
/// approximation. The loss of a token is half the squared distance of `norm(f(k))` to `v - k`. `K` tokens
/// (a mini-batch, the last one may be shorter) learn from the same weights: token i is answered by
/// `norm(f_i(q_i)) + q_i`, where `f_i` has the weights before the mini-batch less
/// `Σ_{j ≤ i} scales_i · rates_j` times the gradient of token j; what the last of them has learned is
/// handed on. The slope of the GELU in the inner gradients has the rounded constants of the authors' code.
///
/// Time grows linearly with `T`, memory too.
///
/// # Shapes
/// - views: queries, keys and values, each `[B, H, T, D]`
/// - rates: `[B, H, T]`
/// - scales: `[K]`
/// - parameters: `[H, P]`, per head the scale and the shift of the norm (`D` each), and for each layer of the
///   inner model its weights `[in, out]` and its bias: `D → D`, or `D → hidden → D`
/// - output: `[B, H, T, D]`
///
/// # Panics
/// If the shapes do not fit, `K` is 0 or the element types differ, naming them, or a tensor has more elements
/// than can be addressed.
#[must_use]
pub fn ttt(
    [q, k, v]: [Tensor<4>; 3],
    rates: Tensor<3>,
    scales: Tensor<1>,
    parameters: Tensor<2>,
    hidden: Option<usize>,
) -> Tensor<4> {
    let [batch, heads, time, width] = q.dims();
    assert!(
        k.dims() == q.dims() && v.dims() == q.dims() && rates.dims() == [batch, heads, time],
        "ttt: k {:?}, v {:?} and rates {:?} do not fit q {:?}",
        k.dims(),
        v.dims(),
        rates.dims(),
        q.dims()
    );
    assert!(scales.dims() != [0], "ttt: mini-batches of no token");
    assert_addressable("ttt", &[&q.dims()]);
    let inner = Inner { width, hidden };
    assert!(
        inner
            .parameters()
            .is_some_and(|count| parameters.dims() == [heads, count]),
        "ttt: parameters {:?} are not those of {heads} heads of width {width} with a hidden layer {hidden:?}",
        parameters.dims()
    );
    assert_addressable("ttt", &[&parameters.dims()]);
    assert_same_dtype(
        "ttt",
        &[
            ("q", Some(q.dtype())),
            ("k", Some(k.dtype())),
            ("v", Some(v.dtype())),
            ("rates", Some(rates.dtype())),
            ("scales", Some(scales.dtype())),
            ("parameters", Some(parameters.dtype())),
        ],
    );
    let traits = has_traits(&q.device());
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    let (rates, scales) = (rates.into_dispatch(), scales.into_dispatch());
    let parameters = parameters.into_dispatch();
    Tensor::from_dispatch(if traits {
        <Dispatch as TttOps>::fused_ttt(q, k, v, rates, scales, parameters, hidden)
    } else {
        reference::forward::<Dispatch>([q, k, v, rates, scales, parameters], hidden)
    })
}
