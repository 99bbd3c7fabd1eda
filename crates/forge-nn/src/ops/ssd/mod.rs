//! Linear recurrences of a matrix state with one decay per head and step: Mamba-2's SSD, mLSTM.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;
mod with_state;

pub use with_state::ssd_with_state;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::optional::OptionalFloat;
use super::same_dtype::assert_same_dtype;

/// Tokens that are taken together: within a chunk products of matrices do the work, from chunk to
/// chunk the state is handed on. No result depends on it but by rounding. Under Miri a short sequence
/// must have several.
const CHUNK: usize = if cfg!(miri) { 2 } else { 64 };

/// The recurrence on backend primitives; shapes as in [`ssd`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait SsdOps: Backend {
    /// The outputs.
    #[fusion(default)]
    fn fused_ssd(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        log_decay: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        #[extension_type] skip: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, gain, log_decay, b, c, skip.into_option())
    }

    /// The gradients of all six inputs, in their order; that of the skip as if it were there.
    #[fusion(default)]
    #[allow(clippy::type_complexity)]
    fn fused_ssd_backward(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        log_decay: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        #[extension_type] skip: OptionalFloat<Self>,
        dy: FloatTensor<Self>,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        reference::backward::<Self>(x, gain, log_decay, b, c, skip.into_option(), dy)
    }
}

#[cfg(feature = "ndarray")]
impl SsdOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl SsdOps for burn_cubecl::CubeBackend {}

/// `S_t = exp(a_t) S_{t-1} + b_t (g_t x_t)ᵀ`, `y_t = S_tᵀ c_t + d x_t`, from `S = 0`: the state-space
/// duality of Dao & Gu, arXiv 2405.21060, equation (16), in the chunked form of its section 6. Of Mamba-2
/// `g` are the step sizes, `a` these times the rates, and `d` is `D`.
///
/// Time and memory grow linearly with `T`. The decays within a chunk are products of factors, not
/// differences of sums, so that large decays cost no accuracy.
///
/// # Shapes
/// - x, output: `[B, H, T, P]`
/// - gain (`g`): `[B, H, T]`
/// - `log_decay` (`a`): `[B, H, T]`, at most 0 where the state shall not grow
/// - b, c: `[B, G, T, N]`, where head `h` reads group `h / (H / G)`
/// - skip (`d`): `[H]`; absent: 0
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming them, or a tensor has more elements
/// than can be addressed.
#[must_use]
pub fn ssd(
    x: Tensor<4>,
    gain: Tensor<3>,
    log_decay: Tensor<3>,
    b: Tensor<4>,
    c: Tensor<4>,
    skip: Option<Tensor<1>>,
) -> Tensor<4> {
    let [batch, heads, time, _] = x.dims();
    let [_, groups, _, states] = b.dims();
    for (name, of_tokens) in [("gain", &gain), ("log_decay", &log_decay)] {
        assert!(
            of_tokens.dims() == [batch, heads, time],
            "ssd: {name} {:?} does not fit x {:?}",
            of_tokens.dims(),
            x.dims()
        );
    }
    assert!(
        b.dims() == [batch, groups, time, states]
            && c.dims() == b.dims()
            && (heads == 0 || (groups > 0 && heads.is_multiple_of(groups))),
        "ssd: b {:?} and c {:?} do not fit x {:?}",
        b.dims(),
        c.dims(),
        x.dims()
    );
    if let Some(skip) = &skip {
        assert!(
            skip.dims() == [heads],
            "ssd: skip {:?} does not fit x {:?}",
            skip.dims(),
            x.dims()
        );
    }
    assert_same_dtype(
        "ssd",
        &[
            ("x", Some(x.dtype())),
            ("gain", Some(gain.dtype())),
            ("log_decay", Some(log_decay.dtype())),
            ("b", Some(b.dtype())),
            ("c", Some(c.dtype())),
            ("skip", skip.as_ref().map(Tensor::dtype)),
        ],
    );
    assert_addressable("ssd", &[&x.dims(), &[batch, heads, time, states]]);
    let traits = has_traits(&x.device());
    let (x, gain, log_decay) = (
        x.into_dispatch(),
        gain.into_dispatch(),
        log_decay.into_dispatch(),
    );
    let (b, c, skip) = (
        b.into_dispatch(),
        c.into_dispatch(),
        skip.map(Tensor::into_dispatch),
    );
    Tensor::from_dispatch(if traits {
        <Dispatch as SsdOps>::fused_ssd(x, gain, log_decay, b, c, skip.into())
    } else {
        reference::forward::<Dispatch>(x, gain, log_decay, b, c, skip)
    })
}
