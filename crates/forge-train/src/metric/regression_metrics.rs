//! Errors of point predictions.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{Direction, Scores};

/// RMSE, MAE and R² of predictions against targets, computed in f64 whatever the model's type.
///
/// ```
/// use forge_train::metric::RegressionMetrics;
///
/// let m = RegressionMetrics::compute(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0])?;
/// assert_eq!(m.mae, 1.0 / 3.0);
/// assert_eq!(m.r2, Some(0.5));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegressionMetrics {
    /// `√(mean r²)`, in the target's units.
    pub rmse: f64,
    /// `mean |r|`, in the target's units.
    pub mae: f64,
    /// `1 - Σr² / Σ(target - mean target)²`: 1 is perfect, 0 as good as the mean, below 0 worse.
    ///
    /// Absent where the target is constant, one row included: there is nothing to explain, and the
    /// ratio is undefined. (scikit-learn says 1 if every prediction is exact, else 0.)
    pub r2: Option<f64>,
    /// Rows that were compared.
    pub n: usize,
}

impl RegressionMetrics {
    /// Compares `pred` with `target`, row by row.
    ///
    /// # Errors
    /// A shape error if the lengths differ or are 0; a training error naming the first row where
    /// either is not finite.
    pub fn compute(pred: &[f64], target: &[f64]) -> Result<Self, ForgeError> {
        if pred.len() != target.len() {
            return Err(ForgeError::shape(
                "predictions",
                format!("{} rows", pred.len()),
                format!("the target's {}", target.len()),
            ));
        }
        if pred.is_empty() {
            return Err(ForgeError::shape("predictions", "0 rows", "at least 1"));
        }
        for (row, (p, t)) in pred.iter().zip(target).enumerate() {
            if !(p.is_finite() && t.is_finite()) {
                return Err(ForgeError::training(format!(
                    "row {row}: prediction {p}, target {t}; both must be finite"
                )));
            }
        }
        let n = pred.len() as f64;
        let residuals = || target.iter().zip(pred).map(|(t, p)| t - p);
        // Divided before squaring, so that residuals up to 1e300 do not overflow.
        let scale = residuals().fold(0.0, |m: f64, r| m.max(r.abs()));
        let squares: f64 = if scale > 0.0 {
            residuals().map(|r| (r / scale).powi(2)).sum()
        } else {
            0.0
        };
        Ok(Self {
            rmse: scale * (squares / n).sqrt(),
            mae: residuals().map(|r| r.abs() / n).sum(),
            r2: r2(target, scale, squares),
            n: pred.len(),
        })
    }

    /// `rmse`, `mae` and `r2` after the scores that there are.
    #[must_use]
    pub fn after(&self, scores: Scores) -> Scores {
        let scores = scores.minimize("rmse", self.rmse).minimize("mae", self.mae);
        match self.r2 {
            Some(r2) => scores.maximize("r2", r2),
            None => scores.undefined("r2", Direction::Maximize),
        }
    }
}

/// R² from the residuals' largest magnitude and the sum of their squares over it.
fn r2(target: &[f64], scale: f64, squares: f64) -> Option<f64> {
    let first = target[0];
    if target.iter().all(|t| *t == first) {
        return None;
    }
    let n = target.len() as f64;
    let mean: f64 = target.iter().map(|t| t / n).sum();
    let spread = target.iter().fold(0.0, |m: f64, t| m.max((t - mean).abs()));
    let total: f64 = target.iter().map(|t| ((t - mean) / spread).powi(2)).sum();
    Some(1.0 - (scale / spread).powi(2) * (squares / total))
}
