//! The Brier score.

use forge_nn::ForgeError;

use super::rows::{RowWeights, check_probabilities};

/// The mean squared error of probabilities `[N x C]` (Brier 1950); less is better.
///
/// scikit-learn's `brier_score_loss` with its default `scale_by_half="auto"`: two classes give
/// `(p - y)²` for the second of them, in `[0, 1]`; more give `Σ_c (p_c - y_c)²`, in `[0, 2]`.
///
/// # Errors
/// As [`log_loss`](super::log_loss).
pub fn brier(
    probabilities: &[f64],
    n_classes: usize,
    labels: &[usize],
    weights: Option<&[f64]>,
) -> Result<f64, ForgeError> {
    check_probabilities("brier", probabilities, n_classes, labels)?;
    let weights = RowWeights::new("brier", labels.len(), weights)?;
    let scale = if n_classes == 2 { 0.5 } else { 1.0 };
    Ok(weights.mean(|row| {
        let p = &probabilities[row * n_classes..(row + 1) * n_classes];
        let squares = p.iter().enumerate().map(|(class, p)| {
            let y = if class == labels[row] { 1.0 } else { 0.0 };
            (p - y) * (p - y)
        });
        scale * squares.sum::<f64>()
    }))
}
