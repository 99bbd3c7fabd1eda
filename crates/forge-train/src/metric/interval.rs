//! How often an interval holds its target, and how wide it is.

use forge_nn::ForgeError;

use super::rows::{RowWeights, all_finite, same_length};

/// Coverage and width of predicted intervals.
///
/// ```
/// use forge_train::metric::IntervalMetrics;
///
/// let m = IntervalMetrics::compute(&[0.0, 0.0], &[1.0, 3.0], &[1.0, 4.0], None)?;
/// assert_eq!((m.coverage, m.width), (0.5, 2.0));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalMetrics {
    /// The share of targets within their interval, ends included. To be compared with what was
    /// asked for: more is not better.
    pub coverage: f64,
    /// The mean of upper minus lower end, in the target's units. Negative where ends are crossed.
    pub width: f64,
}

impl IntervalMetrics {
    /// Of the intervals `[lower, upper]`, row by row.
    ///
    /// # Errors
    /// A shape error if the numbers of rows differ or are 0; a training error naming the first row
    /// that is not finite.
    pub fn compute(
        lower: &[f64],
        upper: &[f64],
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Self, ForgeError> {
        for (what, values) in [
            ("interval: lower ends", lower),
            ("interval: upper ends", upper),
            ("interval: target", target),
        ] {
            same_length(what, values.len(), target.len())?;
            all_finite(what, values)?;
        }
        let weights = RowWeights::new("interval", target.len(), weights)?;
        let within = |row: usize| (lower[row]..=upper[row]).contains(&target[row]);
        Ok(Self {
            coverage: weights.mean(|row| if within(row) { 1.0 } else { 0.0 }),
            width: weights.mean(|row| upper[row] - lower[row]),
        })
    }
}

/// Which of `levels`, rising, are the ends of a central interval: the places of `q` below ½ and of
/// `1 - q`, the widest first.
///
/// ```
/// use forge_train::metric::central_intervals;
/// assert_eq!(central_intervals(&[0.05, 0.1, 0.3, 0.5, 0.9, 0.95]), [(0, 5), (1, 4)]);
/// ```
#[must_use]
pub fn central_intervals(levels: &[f64]) -> Vec<(usize, usize)> {
    let below = levels.iter().enumerate();
    below
        .take_while(|(_, level)| **level < 0.5)
        .filter_map(|(low, level)| {
            let high = levels.iter().position(|l| (l + level - 1.0).abs() < 1e-9)?;
            Some((low, high))
        })
        .collect()
}
