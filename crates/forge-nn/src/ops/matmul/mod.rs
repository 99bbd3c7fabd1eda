//! Products of activations, batch by batch.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;

/// Products on backend primitives `[…, M, K]` and `[…, K, N]` with equal axes before the last two.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait MatmulOps: Backend {
    /// The products.
    #[fusion(default)]
    fn fused_matmul(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(lhs, rhs)
    }

    /// The gradients of both sides. Of a side that is not needed it may be anything.
    #[fusion(default)]
    fn fused_matmul_backward(
        lhs: FloatTensor<Self>,
        rhs: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        needs_lhs: bool,
        needs_rhs: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(lhs, rhs, dy, needs_lhs, needs_rhs)
    }
}

#[cfg(feature = "ndarray")]
impl MatmulOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl MatmulOps for burn_cubecl::CubeBackend {}

/// `lhs × rhs` over the last two axes, as Burn's `matmul`; on `flex` without copies of swapped axes or
/// of fresh memory. Axes of length 1 before the last two go with any, which Burn's operation does.
///
/// # Shapes
/// - lhs: `[…, M, K]`, rhs: `[…, K, N]`
/// - output: `[…, M, N]`
///
/// # Panics
/// If the shapes do not fit, or have more elements than can be addressed.
pub fn matmul<const D: usize>(lhs: Tensor<D>, rhs: Tensor<D>) -> Tensor<D> {
    let (left, right) = (lhs.dims(), rhs.dims());
    assert!(
        D >= 2 && left[D - 1] == right[D - 2],
        "matmul: {left:?} does not fit {right:?}"
    );
    let alike = left[..D - 2] == right[..D - 2];
    let something = lhs.shape().num_elements() * right[D - 1] > 0;
    if !alike || !something || lhs.dtype() != rhs.dtype() || !has_traits(&lhs.device()) {
        return lhs.matmul(rhs);
    }
    let mut output = left;
    output[D - 1] = right[D - 1];
    assert_addressable("matmul", &[&left, &right, &output]);
    let (lhs, rhs) = (lhs.into_dispatch(), rhs.into_dispatch());
    Tensor::from_dispatch(<Dispatch as MatmulOps>::fused_matmul(lhs, rhs))
}
