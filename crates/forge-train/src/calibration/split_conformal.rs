//! Intervals around predicted numbers.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::conformal_rank::bound;

/// Intervals `ŷ ± q σ` that hold at least `1 - α` of new rows, whatever the model and the
/// distribution, where calibration rows and new ones could be exchanged for each other.
///
/// `q` is the `⌈(1 - α)(n + 1)⌉`-th smallest of `|y - ŷ| / σ` over `n` calibration rows. Lei et al. 2018,
/// algorithm 2; with a `σ` per row their locally weighted form. The promise is for one target and for
/// the average over rows, not for each row.
///
/// ```
/// use forge_train::calibration::SplitConformal;
///
/// let said = [0.0; 9];
/// let true_ones = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0, 9.0];
/// let intervals = SplitConformal::fit(&said, None, &true_ones, 0.2)?;
/// assert_eq!(intervals.interval(1.0, 1.0), (-7.0, 9.0));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConformal {
    alpha: f64,
    reach: f64,
    rows: usize,
}

impl SplitConformal {
    /// From `n` calibration rows: predicted numbers, their standard deviations (1 each if absent) and
    /// the true numbers. `alpha` is the share outside, in (0, 1).
    ///
    /// # Errors
    /// A shape error for lists of different lengths; a config error for a bad `alpha` or too few rows
    /// for it; a training error for a row that is not finite or a deviation that is not above 0.
    pub fn fit(
        said: &[f64],
        deviations: Option<&[f64]>,
        target: &[f64],
        alpha: f64,
    ) -> Result<Self, ForgeError> {
        let n = target.len();
        let lengths = [said.len(), deviations.map_or(n, <[f64]>::len)];
        if lengths != [n, n] {
            let found = format!("{} predictions, {} deviations", lengths[0], lengths[1]);
            return Err(ForgeError::shape("calibration rows", found, n));
        }
        let sigma = |row: usize| deviations.map_or(1.0, |d| d[row]);
        if let Some(row) = (0..n).find(|row| !(sigma(*row).is_finite() && sigma(*row) > 0.0)) {
            return Err(ForgeError::training(format!(
                "the deviation of calibration row {row} is {}; it must be finite and above 0",
                sigma(row)
            )));
        }
        let scores = (0..n).map(|row| (target[row] - said[row]).abs() / sigma(row));
        Ok(Self {
            alpha,
            reach: bound(scores.collect(), alpha)?,
            rows: n,
        })
    }

    /// The ends of the interval around `said` with the deviation `sigma` (1 if fitted without).
    #[must_use]
    pub fn interval(&self, said: f64, sigma: f64) -> (f64, f64) {
        let reach = self.reach * sigma;
        (said - reach, said + reach)
    }

    /// `q`.
    #[must_use]
    pub fn reach(&self) -> f64 {
        self.reach
    }

    /// The share of new rows that may lie outside.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// How many rows it was fitted on.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}
