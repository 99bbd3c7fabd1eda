//! A column mapped to a standard normal by its empirical distribution function.

use super::normal_quantile::normal_quantile;

/// scikit-learn's distance to the extremes below which a value counts as extreme; also what bounds
/// the output to ±5.1993.
const BOUND: f64 = 1e-7;

/// `n_quantiles` quantiles of sorted, finite `values`, at equal steps of probability from 0 to 1,
/// linearly interpolated (NumPy's default method, at exact positions: scikit-learn's carry a rounding
/// error that can take the first of a run of ties out of it).
///
/// # Panics
/// If `values` is empty or `n_quantiles < 2`.
pub(super) fn quantiles(values: &[f64], n_quantiles: usize) -> Vec<f64> {
    let last = values.len() - 1;
    let mut out: Vec<f64> = (0..n_quantiles)
        .map(|i| {
            // Exact, in integers: a position off by an ulp would tear ties apart.
            let (low, rest) = (i * last / (n_quantiles - 1), i * last % (n_quantiles - 1));
            let t = rest as f64 / (n_quantiles - 1) as f64;
            let (a, b) = (values[low], values[(low + 1).min(last)]);
            // Weighted rather than a + (b − a) t: the difference of two large values overflows.
            if a == b { a } else { a * (1.0 - t) + b * t }
        })
        .collect();
    // Rounding may step back by an ulp.
    for i in 1..out.len() {
        out[i] = out[i].max(out[i - 1]);
    }
    out
}

/// `Φ⁻¹(F(x))`, `F` the piecewise linear distribution function through `quantiles`
/// (non-decreasing, at least 2), a run of equal quantiles counting with its middle; clipped to
/// ±5.1993.
///
/// As scikit-learn's `QuantileTransformer`, but for its absolute tolerance of 1e-7 at the
/// extremes: that one collapses columns narrower than 1e-7, so here it is relative to the
/// column's range where this is below 1.
pub(super) fn to_normal(x: f64, quantiles: &[f64]) -> f64 {
    let (low, high) = (quantiles[0], quantiles[quantiles.len() - 1]);
    let tolerance = BOUND * (high - low).min(1.0);
    let p = if x - tolerance < low {
        0.0
    } else if x + tolerance > high {
        1.0
    } else {
        distribution(x, quantiles)
    };
    let clip = normal_quantile(1.0 - (BOUND - f64::EPSILON));
    if p < 0.5 {
        normal_quantile(p).max(-clip)
    } else {
        normal_quantile(p).min(clip)
    }
}

/// `F(x)` for `x` strictly between the extremes.
fn distribution(x: f64, quantiles: &[f64]) -> f64 {
    let steps = (quantiles.len() - 1) as f64;
    // quantiles[above − 1] <= x < quantiles[above]
    let above = quantiles.partition_point(|q| *q <= x);
    let below = quantiles[above - 1];
    if below == x {
        let first = quantiles[..above].partition_point(|q| *q < x);
        return (first + above - 1) as f64 / (2.0 * steps);
    }
    let fraction = x / (quantiles[above] - below) - below / (quantiles[above] - below);
    ((above - 1) as f64 + fraction.clamp(0.0, 1.0)) / steps
}

#[cfg(test)]
mod tests {
    use super::{quantiles, to_normal};

    #[test]
    fn tiny_columns_are_not_collapsed() {
        let values: Vec<f64> = (0..101).map(|i| f64::from(i) * 1e-11).collect();
        let q = quantiles(&values, 11);
        let z: Vec<f64> = values.iter().map(|v| to_normal(*v, &q)).collect();
        assert!(z.windows(2).all(|w| w[0] < w[1]), "{z:?}");
        assert!(z[50].abs() < 1e-9);
    }

    #[test]
    fn huge_columns_do_not_overflow() {
        let q = quantiles(&[-1.7e308, 0.0, 1.7e308], 3);
        assert!(to_normal(1.0e308, &q).is_finite());
        assert!(to_normal(0.0, &q).abs() < 1e-12);
    }
}
