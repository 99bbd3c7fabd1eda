//! 1.5-entmax.

use burn::tensor::{Bool, Tensor};

/// 1.5-entmax along `dim`: between softmax and sparsemax, with exact zeros.
///
/// `y = max(x/2 - τ, 0)²` with `τ` such that `y` sums to 1. With the support `S` fixed, `k = |S|`
/// and `m`, `s` the mean and the sum of squared deviations of `x/2` over `S`,
/// `τ = m - √((1 - s)/k)`; that expression carries the gradient, so it is exact (and zero outside
/// the support) to any order. The root is at least `1/k`, so its derivative is bounded.
///
/// Peters, Niculae & Martins, arXiv 1905.05702, algorithm 2.
///
/// # Shapes
/// - input and output: `[..]`
///
/// # Panics
/// If `dim` is not an axis of `x`.
pub fn entmax15<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    // Entmax does not change when a constant is added; without it ±900 would cost digits.
    let z = (x.clone() - x.detach().max_dim(dim)) / 2.0;
    let support = support(z.clone().detach(), dim);
    let outside = support.bool_not();
    let size = z.ones_like().mask_fill(outside.clone(), 0.0).sum_dim(dim);
    let mean = z.clone().mask_fill(outside.clone(), 0.0).sum_dim(dim) / size.clone();
    let deviation = (z.clone() - mean.clone()).mask_fill(outside.clone(), 0.0);
    let spread = deviation.square().sum_dim(dim);
    let threshold = mean - ((spread.neg() + 1.0) / size).sqrt();
    (z - threshold).mask_fill(outside, 0.0).square()
}

/// Where 1.5-entmax is positive: the k largest are in while the threshold that k would give lies
/// at or below the k-th.
fn support<const D: usize>(z: Tensor<D>, dim: usize) -> Tensor<D, Bool> {
    let sorted = z.clone().sort_descending(dim);
    let rank = z.ones_like().cumsum(dim);
    let mean = sorted.clone().cumsum(dim) / rank.clone();
    let mean_square = sorted.clone().square().cumsum(dim) / rank.clone();
    let spread = rank.clone() * (mean_square - mean.clone().square());
    let threshold = mean - ((spread.neg() + 1.0) / rank).clamp_min(0.0).sqrt();
    let inside = threshold.lower_equal(sorted.clone());
    let smallest = sorted.mask_fill(inside.bool_not(), f32::MAX).min_dim(dim);
    z.clone().greater_equal(smallest.expand(z.shape()))
}
