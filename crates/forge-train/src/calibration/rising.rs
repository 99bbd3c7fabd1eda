//! Quantiles that do not cross.

/// Lifts or lowers quantiles of these rising levels that cross to what is nearer to the median.
///
/// ```
/// use forge_train::calibration::keep_rising;
///
/// let mut said = [2.0, 1.0, 0.5];
/// keep_rising(&mut said, &[0.1, 0.5, 0.9]);
/// assert_eq!(said, [1.0, 1.0, 1.0]);
/// ```
pub fn keep_rising<T: PartialOrd + Copy>(quantiles: &mut [T], levels: &[f64]) {
    let middle = levels.partition_point(|level| *level < 0.5);
    for k in middle + 1..quantiles.len() {
        if quantiles[k] < quantiles[k - 1] {
            quantiles[k] = quantiles[k - 1];
        }
    }
    for k in (0..middle).rev() {
        match quantiles.get(k + 1).copied() {
            Some(above) if quantiles[k] > above => quantiles[k] = above,
            _ => {}
        }
    }
}
