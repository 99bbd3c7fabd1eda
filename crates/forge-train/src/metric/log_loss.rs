//! The cross-entropy of predicted probabilities.

use forge_nn::ForgeError;

use super::rows::{RowWeights, check_probabilities};

/// `-Σ w ln p(label) / Σ w`, for probabilities `[N x C]` row by row.
///
/// scikit-learn's `log_loss`: probabilities are clipped to `[ε, 1 - ε]` with `ε = 2.2e-16`, the
/// step of f64 at 1, so that a class ruled out wrongly costs 36 and not infinity.
///
/// ```
/// use forge_train::metric::log_loss;
///
/// let loss = log_loss(&[0.25, 0.75, 0.5, 0.5], 2, &[1, 0], None)?;
/// assert_eq!(loss, -(0.75_f64.ln() + 0.5_f64.ln()) / 2.0);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
///
/// # Errors
/// A shape error if the numbers of rows differ or are 0; a training error naming the first row
/// whose probabilities are none, whose label is not below `n_classes`, or whose weight is unusable.
pub fn log_loss(
    probabilities: &[f64],
    n_classes: usize,
    labels: &[usize],
    weights: Option<&[f64]>,
) -> Result<f64, ForgeError> {
    check_probabilities("log_loss", probabilities, n_classes, labels)?;
    let weights = RowWeights::new("log_loss", labels.len(), weights)?;
    Ok(weights.mean(|row| {
        let p = probabilities[row * n_classes + labels[row]];
        -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    }))
}
