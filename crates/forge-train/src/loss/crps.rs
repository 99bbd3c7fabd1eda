//! The continuous ranked probability score as a loss.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use burn::tensor::{Tensor, TensorData};

use super::{Quantile, RegressionLoss, residual, same_shape};

/// `s (z (2Φ(z) - 1) + 2φ(z) - 1/√π)` with `z = r/s` for a normal forecast, element by element
/// (Gneiting and Raftery 2007, eq. 21 with its sign turned). In the target's units, and grows like
/// `|r|`: far targets pull less than under the likelihood.
///
/// `s` must be above 0. Smooth everywhere: the derivative in the mean is `1 - 2Φ(z)`.
///
/// # Shapes
/// - mean, scale, target: `[B, S]` (any rank)
/// - output: that of `target`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn gaussian_crps<const D: usize>(
    mean: Tensor<D>,
    scale: Tensor<D>,
    target: Tensor<D>,
) -> Tensor<D> {
    same_shape("scale", &scale, &target);
    let z = residual(mean, target).div(scale.clone());
    let spread = z.clone().mul_scalar(FRAC_1_SQRT_2).erf();
    let density = z
        .clone()
        .mul(z.clone())
        .mul_scalar(-0.5)
        .exp()
        .mul_scalar((2.0 / PI).sqrt());
    let unit = z.mul(spread).add(density).sub_scalar(1.0 / PI.sqrt());
    scale.mul(unit)
}

/// `2 Σ wₖ ρₖ`, twice the mean pinball loss over all levels, for a forecast by `K` quantiles: level `k`
/// stands for the levels nearer to it than to others, and `wₖ` is how many these are. So quantiles
/// need not be evenly spread; for the levels `(k - ½)/K` all `wₖ` are `1/K`. An approximation of the
/// integral `CRPS = 2 ∫ ρ_q dq` (Laio and Tamea 2007), exact as `K` grows.
///
/// The gradient where a target meets a quantile is that of [`Quantile`]: as if it lay above.
///
/// # Shapes
/// - pred: `[B, K]`, one column per quantile (any rank, quantiles last)
/// - target: `[B, 1]`
/// - output: `[B, 1]`
///
/// # Panics
/// As [`Quantile`].
#[must_use]
pub fn quantile_crps<const D: usize>(
    pred: Tensor<D>,
    target: Tensor<D>,
    levels: &Quantile,
) -> Tensor<D> {
    let losses = levels.elementwise(pred, target);
    let weights = level_weights(&levels.quantiles);
    let mut last = [1; D];
    last[D - 1] = weights.len();
    let weights = TensorData::new(weights, [levels.quantiles.len()]);
    let weights = Tensor::<1>::from_data(weights, (&losses.device(), losses.dtype()));
    losses
        .mul(weights.mul_scalar(2.0).reshape(last))
        .sum_dim(D - 1)
}

/// How many of the levels between 0 and 1 are nearest to each of `quantiles`; their sum is 1.
pub(crate) fn level_weights(quantiles: &[f64]) -> Vec<f64> {
    let end = |k: usize| match (k, quantiles.get(k)) {
        (0, _) => 0.0,
        (_, None) => 1.0,
        (_, Some(q)) => 0.5 * (quantiles[k - 1] + q),
    };
    (0..quantiles.len()).map(|k| end(k + 1) - end(k)).collect()
}
