//! The error of a predicted quantile.

use forge_nn::ForgeError;

use super::rows::{RowWeights, all_finite, same_length};

/// The mean of `max(q r, (q - 1) r)` with `r = target - pred`: scikit-learn's
/// `mean_pinball_loss(alpha=q)`, in the target's units.
///
/// # Errors
/// A config error if `quantile` is not in `(0, 1)`; a shape error if the numbers of rows differ or
/// are 0; a training error naming the first row that is not finite.
pub fn pinball(
    pred: &[f64],
    target: &[f64],
    quantile: f64,
    weights: Option<&[f64]>,
) -> Result<f64, ForgeError> {
    crate::loss::check_quantiles("quantile", &[quantile])?;
    same_length("pinball: predictions", pred.len(), target.len())?;
    all_finite("pinball: predictions", pred)?;
    all_finite("pinball: target", target)?;
    let weights = RowWeights::new("pinball", target.len(), weights)?;
    Ok(weights.mean(|row| {
        let r = target[row] - pred[row];
        (quantile * r).max((quantile - 1.0) * r)
    }))
}
