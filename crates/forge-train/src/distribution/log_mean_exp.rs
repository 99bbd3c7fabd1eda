//! Averages of densities.

/// `ln (1/n Σ exp xᵢ)`, whatever the size of the `xᵢ`: the log density of an equal mixture from those
/// of its parts. Minus infinity where all are; NaN for none.
///
/// ```
/// use forge_train::distribution::log_mean_exp;
///
/// assert!((log_mean_exp(&[-1000.0, -1000.0]) + 1000.0).abs() < 1e-12);
/// assert!((log_mean_exp(&[0.0, 3f64.ln()]) - 2f64.ln()).abs() < 1e-12);
/// ```
#[must_use]
pub fn log_mean_exp(each: &[f64]) -> f64 {
    let most = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most.is_infinite() && !each.is_empty() {
        return most;
    }
    let sum: f64 = each.iter().map(|x| (x - most).exp()).sum();
    most + (sum / each.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overflows_and_impossible_parts_count_as_nothing() {
        let impossible = f64::NEG_INFINITY;
        assert!((log_mean_exp(&[2000.0, impossible]) - (2000.0 - 2f64.ln())).abs() < 1e-12);
        assert_eq!(log_mean_exp(&[impossible; 3]), impossible);
        assert!(log_mean_exp(&[]).is_nan());
    }
}
