//! The running maximum with decay: what keeps exponential gates from overflowing.

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

/// The scan on backend primitives of any rank.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait MaxScanOps: Backend {
    /// The maxima.
    #[fusion(default)]
    fn fused_max_scan(decay: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::forward::<Self>(decay, x)
    }

    /// The gradients of decay and x from the maxima `m`.
    #[fusion(default)]
    fn fused_max_scan_backward(
        decay: FloatTensor<Self>,
        x: FloatTensor<Self>,
        m: FloatTensor<Self>,
        dm: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(decay, x, m, dm)
    }
}

#[cfg(feature = "ndarray")]
impl MaxScanOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl MaxScanOps for burn_cubecl::CubeBackend {}

/// The maximum before the first token, for what goes on from one: whatever comes is larger, and what it
/// decays is 0.
pub const NOTHING_YET: f64 = -1e30;

/// `m_t = max(m_{t-1} + decay_t, x_t)` along the last axis, `m_0 = x_0`: the stabiliser of xLSTM's
/// exponential gates (Beck et al., arXiv 2405.04517, equation 15), with the logarithm of the forget
/// gate as the decay. The gradient goes to the larger of the two, to `x` where they are equal.
///
/// # Shapes
/// - decay, x, output: `[…, T]`
///
/// # Panics
/// If the shapes or element types differ, naming them, or x has more elements than can be
/// addressed.
#[must_use]
pub fn max_scan<const D: usize>(decay: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
    assert!(
        decay.dims() == x.dims(),
        "max_scan: decay {:?} does not fit x {:?}",
        decay.dims(),
        x.dims()
    );
    assert_same_dtype(
        "max_scan",
        &[("decay", Some(decay.dtype())), ("x", Some(x.dtype()))],
    );
    assert_addressable("max_scan", &[&x.dims()]);
    let traits = has_traits(&x.device());
    let (decay, x) = (decay.into_dispatch(), x.into_dispatch());
    Tensor::from_dispatch(if traits {
        <Dispatch as MaxScanOps>::fused_max_scan(decay, x)
    } else {
        reference::forward::<Dispatch>(decay, x)
    })
}
