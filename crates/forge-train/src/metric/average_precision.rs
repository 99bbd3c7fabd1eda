//! The area under the precision-recall curve, as a sum.

use forge_nn::ForgeError;

use super::roc_curve::Groups;

/// `Σ (Rₙ - Rₙ₋₁) Pₙ` over falling thresholds, with precision `P` and recall `R`: scikit-learn's
/// `average_precision_score`. Rows of equal score enter together; nothing is interpolated.
///
/// # Errors
/// A shape error if the numbers of rows differ or are 0; a training error if a score is not
/// finite, a weight is unusable, or no row (of weight above 0) is positive.
pub fn average_precision(
    scores: &[f64],
    positive: &[bool],
    weights: Option<&[f64]>,
) -> Result<f64, ForgeError> {
    let groups = Groups::new("average_precision", scores, positive, weights)?;
    let (positives, _) = groups.totals();
    if positives <= 0.0 {
        return Err(ForgeError::training(
            "average_precision: no row is positive, so there is nothing to find; score rows of \
             both classes, or use log_loss or accuracy",
        ));
    }
    let (mut found, mut taken, mut sum) = (0.0, 0.0, 0.0);
    for group in &groups.falling {
        found += group.positive;
        taken += group.positive + group.negative;
        if group.positive > 0.0 {
            sum += group.positive / positives * (found / taken);
        }
    }
    Ok(sum)
}
