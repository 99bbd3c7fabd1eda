//! Which calibration score bounds a new one.

use forge_nn::ForgeError;

/// The rank, from 1, of the calibration score that a new one exceeds with probability `α` at most:
/// `⌈(1 - α)(n + 1)⌉` of `n` scores that could be exchanged for the new one. `None` if `n` scores are
/// too few for any bound, `n < 1/α - 1`. Vovk, Gammerman and Shafer 2005; Lei et al. 2018, section 2.2.
///
/// ```
/// use forge_train::calibration::conformal_rank;
///
/// assert_eq!(conformal_rank(19, 0.1), Some(18));
/// assert_eq!(conformal_rank(8, 0.1), None);
/// ```
#[must_use]
pub fn conformal_rank(n: usize, alpha: f64) -> Option<usize> {
    // What rounding adds to a whole number must not cost a rank.
    let rank = ((1.0 - alpha) * (n + 1) as f64 - 1e-9).ceil().max(1.0) as usize;
    (rank <= n).then_some(rank)
}

/// The fewest scores that have such a rank.
pub(super) fn least_rows(alpha: f64) -> usize {
    (1.0 / alpha - 1.0 - 1e-9).ceil() as usize
}

/// The score of that rank.
///
/// # Errors
/// A config error for `α` outside (0, 1) or too few scores for it; a training error for a score that is
/// not finite.
pub(super) fn bound(mut scores: Vec<f64>, alpha: f64) -> Result<f64, ForgeError> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(ForgeError::config("alpha", alpha, "above 0 and below 1"));
    }
    if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
        return Err(ForgeError::training(format!(
            "the score of calibration row {row} is {}; leave out rows that are not finite",
            scores[row]
        )));
    }
    let n = scores.len();
    let Some(rank) = conformal_rank(n, alpha) else {
        let least = least_rows(alpha);
        return Err(ForgeError::config(
            "calibration rows",
            n,
            format!("at least {least} for alpha = {alpha}; hold back more rows or raise alpha"),
        ));
    };
    scores.sort_unstable_by(f64::total_cmp);
    Ok(scores[rank - 1])
}
