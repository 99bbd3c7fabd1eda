//! The negative log likelihood of Student's t distribution.

use burn::tensor::Tensor;

use super::{residual, same_shape};
use crate::distribution::{HALF_STEP_SERIES, HALF_STEP_SHIFT};

/// `½ ln 2π`.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// The negative log density of `target` under Student's t with a location, a scale `s` and `ν`
/// degrees of freedom, element by element:
/// `ln Γ(ν/2) - ln Γ((ν+1)/2) + ½ ln(πν) + ln s + (ν+1)/2 · ln(1 + (r/s)²/ν)`.
///
/// `s` must be above 0 and `ν` at least 2; neither is clamped here. Grows like `ln |r|`, so far
/// targets pull little: it is the robust sibling of [`gaussian_nll`](super::gaussian_nll), which it
/// approaches as `ν` grows.
///
/// The gamma functions have no tensor operation. With `z = ν/2`, `n = 8` factors lift
/// `Γ(z)/Γ(z + ½)` to `z + n`, where Stirling's series of the ratio (see
/// [`ln_gamma_half_step`](crate::distribution::ln_gamma_half_step)) is exact to 1e-14; its leading
/// `½ ln(z + n)` is taken together with `½ ln ν`, so that nothing cancels for large `ν`. The
/// derivative in `ν` is that of the series, by autodiff.
///
/// # Shapes
/// - location, scale, df, target: `[B, S]` (any rank)
/// - output: that of `target`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn student_t_nll<const D: usize>(
    location: Tensor<D>,
    scale: Tensor<D>,
    df: Tensor<D>,
    target: Tensor<D>,
) -> Tensor<D> {
    same_shape("scale", &scale, &target);
    same_shape("df", &df, &target);
    let u = residual(location, target).div(scale.clone());
    let kernel = u
        .clone()
        .mul(u)
        .div(df.clone())
        .log1p()
        .mul(df.clone().add_scalar(1.0))
        .mul_scalar(0.5);
    normaliser(df).add(scale.log()).add(kernel)
}

/// `ln Γ(ν/2) - ln Γ((ν+1)/2) + ½ ln(πν)`, which falls to `½ ln 2π` as `ν` grows.
fn normaliser<const D: usize>(df: Tensor<D>) -> Tensor<D> {
    let z = df.mul_scalar(0.5);
    // Γ(z)/Γ(z+½) = Γ(z+n)/Γ(z+n+½) · Π (z+k+½)/(z+k).
    let mut product = z.ones_like();
    for k in 0..HALF_STEP_SHIFT {
        let below = z.clone().add_scalar(f64::from(k));
        product = product.mul(below.recip().mul_scalar(0.5).add_scalar(1.0));
    }
    let far = z.clone().add_scalar(f64::from(HALF_STEP_SHIFT));
    let inverse = far.recip();
    let square = inverse.clone().mul(inverse.clone());
    let mut series = z.zeros_like();
    for coefficient in HALF_STEP_SERIES.iter().rev() {
        series = series.mul(square.clone()).add_scalar(*coefficient);
    }
    // ½ ln(2z) - ½ ln(z+n) without a difference of logarithms.
    let ratio = z.mul(inverse.clone()).log().mul_scalar(0.5);
    product
        .log()
        .sub(series.mul(inverse))
        .add(ratio)
        .add_scalar(HALF_LN_TWO_PI)
}
