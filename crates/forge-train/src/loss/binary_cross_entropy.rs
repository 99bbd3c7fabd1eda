//! The log loss of a yes or no.

use burn::tensor::Tensor;

use super::same_shape;

/// `-t ln p - (1 - t) ln(1 - p)` with `p = sigmoid(logits)`, element by element: PyTorch's
/// `binary_cross_entropy_with_logits` without reduction. Targets are 0 and 1, or anything between.
///
/// Written `(|x| + (1 - 2t) x)/2 + ln(1 + e^-|x|)` for a logit `x`, so that no probability is ever
/// formed: exact to rounding for logits of any size (at least to ±1e4), a confident right answer
/// included, where `max(x, 0) - x t + …` leaves the difference of two large numbers. The derivative
/// in `x` is `p - t` everywhere, at 0 as well.
///
/// # Shapes
/// - logits, target: `[B, S]` (any rank)
/// - output: that of `logits`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn binary_cross_entropy<const D: usize>(logits: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
    same_shape("logits", &logits, &target);
    let a = logits.clone().abs();
    let tail = a.clone().neg().exp().log1p();
    let sign = target.mul_scalar(-2.0).add_scalar(1.0);
    a.add(sign.mul(logits)).mul_scalar(0.5).add(tail)
}
