//! Sparsemax.

use burn::tensor::{Bool, Tensor};

/// Sparsemax: the Euclidean projection of `x` on the probability simplex, along `dim`.
///
/// `y = max(x - τ, 0)` with `τ` such that `y` sums to 1. With the support `S = {i : yᵢ > 0}` fixed,
/// `τ = (Σ_S xᵢ - 1) / |S|`; that expression carries the gradient, so it is exact (and zero outside
/// the support) to any order.
///
/// Martins & Astudillo, arXiv 1602.02068, algorithm 1 and equation (11).
///
/// ```
/// use forge_nn::activation::sparsemax;
/// use forge_nn::burn::tensor::{Device, Tensor, TensorData};
///
/// let scores = Tensor::<1>::from_data([1.0, 0.5, -2.0], &Device::flex());
/// let shares = sparsemax(scores, 0).into_data();
/// shares.assert_eq(&TensorData::from([0.75f32, 0.25, 0.0]), true);
/// ```
///
/// # Shapes
/// - input and output: `[..]`
///
/// # Panics
/// If `dim` is not an axis of `x`.
pub fn sparsemax<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    // Sparsemax does not change when a constant is added; without it ±900 would cost digits.
    let x = x.clone() - x.detach().max_dim(dim);
    let support = support(x.clone().detach(), dim);
    let inside = x.clone().mask_fill(support.clone().bool_not(), 0.0);
    let size = x
        .ones_like()
        .mask_fill(support.clone().bool_not(), 0.0)
        .sum_dim(dim);
    let threshold = (inside.sum_dim(dim) - 1.0) / size;
    let shares = (x - threshold).mask_fill(support.bool_not(), 0.0);
    // At the edge of the support rounding may leave less than nothing, which has no logarithm.
    shares.clamp_min(0.0)
}

/// Where sparsemax is positive. The k largest are in the support while `1 + k x₍ₖ₎ > Σ_{j≤k} x₍ⱼ₎`.
fn support<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D, Bool> {
    let sorted = x.clone().sort_descending(dim);
    let rank = x.ones_like().cumsum(dim);
    let inside = (sorted.clone() * rank + 1.0).greater(sorted.clone().cumsum(dim));
    let smallest = sorted.mask_fill(inside.bool_not(), f32::MAX).min_dim(dim);
    x.clone().greater_equal(smallest.expand(x.shape()))
}
