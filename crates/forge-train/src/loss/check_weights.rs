//! Weights that come from outside.

use forge_nn::ForgeError;

/// Weights of rows are finite, at least 0, and not all 0.
///
/// ```
/// use forge_train::loss::check_weights;
///
/// let error = check_weights(&[1.0, -0.5]).unwrap_err().to_string();
/// assert!(error.contains("weights[1] = -0.5"), "{error}");
/// ```
///
/// # Errors
/// A config error naming the first one that is not, its value and what is allowed.
pub fn check_weights(weights: &[f64]) -> Result<(), ForgeError> {
    let bad = |w: &f64| !(w.is_finite() && *w >= 0.0);
    if let Some(at) = weights.iter().position(bad) {
        return Err(ForgeError::config(
            &format!("weights[{at}]"),
            weights[at],
            "finite and at least 0: leave the row out, or give it 0",
        ));
    }
    if weights.iter().all(|w| *w == 0.0) {
        let allowed = "above 0 for at least one row";
        return Err(ForgeError::config("weights", "all 0", allowed));
    }
    Ok(())
}
