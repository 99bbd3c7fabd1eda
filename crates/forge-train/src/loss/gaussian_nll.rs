//! The negative log likelihood of a normal distribution.

use burn::tensor::Tensor;

use super::{residual, same_shape};

/// `½ ln 2π`.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `½ ln 2π + ln s + ½ (r/s)²` for a mean and a standard deviation `s`, element by element:
/// PyTorch's `gaussian_nll_loss` with `full = true` and the variance `s²`.
///
/// `s` must be above 0 and is not clamped here: a floor belongs where `s` is made, since a clamp
/// takes away the gradient that would lead out of it. The residual is divided by `s` before it is
/// squared.
///
/// # Shapes
/// - mean, scale, target: `[B, S]` (any rank)
/// - output: that of `target`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn gaussian_nll<const D: usize>(
    mean: Tensor<D>,
    scale: Tensor<D>,
    target: Tensor<D>,
) -> Tensor<D> {
    same_shape("scale", &scale, &target);
    let u = residual(mean, target).div(scale.clone());
    u.clone()
        .mul(u)
        .mul_scalar(0.5)
        .add(scale.log())
        .add_scalar(HALF_LN_TWO_PI)
}
