//! Arithmetic on plain numbers, of which more than one crate has need.

/// `softmax(scale · logits)`, the scale being one over a temperature: positive numbers that sum to 1, without
/// overflow for any finite logits. Empty for no logits.
///
/// ```
/// use forge_nn::host::softmax;
///
/// let p = softmax(&[900.0, 901.0], 2.0);
/// assert!((p[1] - 1.0 / (1.0 + (-2.0_f64).exp())).abs() < 1e-12);
/// ```
#[must_use]
pub fn softmax(logits: &[f64], scale: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let each = logits.iter().map(|logit| (scale * (logit - largest)).exp());
    let each: Vec<f64> = each.collect();
    let sum: f64 = each.iter().sum();
    each.into_iter().map(|each| each / sum).collect()
}

/// The logarithm of [`softmax`], which may be further below 0 than that of any number above 0 is: `-1000`
/// beside a logit that is 1000 higher. Empty for no logits.
///
/// ```
/// use forge_nn::host::log_softmax;
///
/// assert_eq!(log_softmax(&[0.0, 1000.0], 1.0), [-1000.0, 0.0]);
/// ```
#[must_use]
pub fn log_softmax(logits: &[f64], scale: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let below = |logit: &f64| scale * (logit - largest);
    let sum: f64 = logits.iter().map(|logit| below(logit).exp()).sum();
    let of_sum = sum.ln();
    logits.iter().map(|logit| below(logit) - of_sum).collect()
}
