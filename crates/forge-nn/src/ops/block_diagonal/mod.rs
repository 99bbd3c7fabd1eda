//! Products with block-diagonal matrices of small blocks.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::extent::assert_addressable;
use super::optional::OptionalFloat;
use super::same_dtype::assert_same_dtype;

/// The product on backend primitives, shapes as in [`block_diagonal`].
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait BlockDiagonalOps: Backend {
    /// The products.
    #[fusion(default)]
    fn fused_block_diagonal(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, weight, bias.into_option())
    }

    /// The gradients of x, weight and the bias `[G K]`.
    #[fusion(default)]
    fn fused_block_diagonal_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::backward::<Self>(x, weight, dy)
    }
}

#[cfg(feature = "ndarray")]
impl BlockDiagonalOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl BlockDiagonalOps for burn_cubecl::CubeBackend {}

/// `y_g = W_g x_g + b_g` for the `G` slices of the last axis, `K` numbers each: `LinearHeadwiseExpand` of
/// xLSTM's authors, whose blocks are four wide. Made for small blocks: the work per number is that of a
/// product, but nothing is put in another order for it. Blocks from some tens on are better as products of
/// their own ([`matmul`](super::matmul)).
///
/// # Shapes
/// - x, output: `[…, G K]`
/// - weight: `[G, K, K]`, the output first
/// - bias: `[G K]`
///
/// # Panics
/// If the shapes do not fit, the element types differ, or there are more elements than can be addressed.
#[must_use]
pub fn block_diagonal<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<3>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let (of_x, of_weight) = (x.dims(), weight.dims());
    let [groups, size, inputs] = of_weight;
    let of_bias = bias.as_ref().map(Tensor::dims);
    let width = groups.checked_mul(size);
    assert!(
        size == inputs
            && size > 0
            && width == Some(of_x[D - 1])
            && of_bias.is_none_or(|[n]| n == of_x[D - 1]),
        "block_diagonal: weight {of_weight:?} and bias {of_bias:?} do not fit x {of_x:?}: expected [{} / K, K, K]",
        of_x[D - 1]
    );
    let types = [
        ("x", Some(x.dtype())),
        ("weight", Some(weight.dtype())),
        ("bias", bias.as_ref().map(Tensor::dtype)),
    ];
    assert_same_dtype("block_diagonal", &types);
    assert_addressable("block_diagonal", &[&of_x, &of_weight]);
    let traits = has_traits(&x.device());
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let bias = bias.map(Tensor::into_dispatch);
    Tensor::from_dispatch(if traits {
        <Dispatch as BlockDiagonalOps>::fused_block_diagonal(x, weight, bias.into())
    } else {
        reference::forward::<Dispatch>(x, weight, bias)
    })
}
