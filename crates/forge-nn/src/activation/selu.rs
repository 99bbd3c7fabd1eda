//! The self-normalising exponential unit.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

const ALPHA: f64 = 1.673_263_242_354_377_2;
const LAMBDA: f64 = 1.050_700_987_355_480_5;

/// `λ (max(x, 0) + α (e^min(x, 0) - 1))`, with `λ` and `α` that keep mean 0 and variance 1.
///
/// Klambauer et al. 2017, "Self-Normalizing Neural Networks" (arXiv 1706.02515), equation (2).
/// Burn's has the same values, but its gradient is NaN where `e^x` overflows.
///
/// # Shapes
/// - input and output: any
#[must_use]
pub fn selu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    // Clamped before the exponential, so that its gradient is finite everywhere.
    let below = x.clone().clamp_max(0.0).exp().sub_scalar(1.0);
    relu(x).mul_scalar(LAMBDA) + below.mul_scalar(ALPHA * LAMBDA)
}
