//! How likely targets are under samples of a model.

use forge_nn::{ForgeError, check};

use super::rows::RowWeights;
use crate::distribution::log_mean_exp;

/// `ln 2π`.
const LN_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// The mean log likelihood of targets when each of `samples` is a mean and noise has the precision `τ`
/// (one over its variance): `mean over rows of ln (1/S Σ √(τ/2π) exp(-τ/2 (y - ŷₛ)²))`, which
/// Monte-Carlo dropout is compared by (Gal and Ghahramani 2016, eq. 8). More is better.
///
/// ```
/// use forge_train::metric::monte_carlo_log_likelihood;
///
/// let two = [vec![0.9], vec![1.1]];
/// let wide = monte_carlo_log_likelihood(&two, &[1.0], 1.0)?;
/// assert!(monte_carlo_log_likelihood(&two, &[1.0], 50.0)? > wide);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
///
/// # Errors
/// A config error for no samples or a precision that is not above 0; a shape error if a sample has
/// not one value per row, or there is no row; a training error for a value that is not finite.
pub fn monte_carlo_log_likelihood(
    samples: &[Vec<f64>],
    target: &[f64],
    precision: f64,
) -> Result<f64, ForgeError> {
    check::at_least_one("samples", samples.len())?;
    check::positive("precision", precision)?;
    for (s, sample) in samples.iter().enumerate() {
        if sample.len() != target.len() {
            let (found, rows) = (format!("{} values", sample.len()), target.len());
            return Err(ForgeError::shape(format!("sample {s}"), found, rows));
        }
        let each = sample.iter().chain(target);
        if let Some(bad) = each.clone().find(|value| !value.is_finite()) {
            return Err(ForgeError::training(format!(
                "monte_carlo_log_likelihood: {bad} is not a finite number"
            )));
        }
    }
    let rows = RowWeights::new("monte_carlo_log_likelihood", target.len(), None)?;
    let constant = 0.5 * (precision.ln() - LN_TWO_PI);
    Ok(rows.mean(|row| {
        let log = |s: &Vec<f64>| constant - 0.5 * precision * (target[row] - s[row]).powi(2);
        log_mean_exp(&samples.iter().map(log).collect::<Vec<_>>())
    }))
}
