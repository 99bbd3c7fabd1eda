//! Yang and Zhang's estimator.

use serde::{Deserialize, Serialize};

use super::{RangeEstimator, volatility};
use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::technical::Change;
use crate::features::window::Window;

/// `V_o + k·V_c + (1 − k)·V_rs`, `k = 0.34/(1.34 + (n + 1)/(n − 1))`: sample variances of
/// `ln(Oₜ/Cₜ₋₁)` and `ln(C/O)`, and the mean of Rogers and Satchell's. Right with drift and with jumps
/// at the opening (Yang and Zhang 2000, "Drift-independent volatility estimation based on high, low,
/// open, and close prices", Journal of Business 73).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct YangZhang {
    period: u32,
    close: Change,
    opening: Window,
    body: Window,
    range: Window,
    periods_per_year: Option<f64>,
}

impl YangZhang {
    /// `period` bars with one before them, at least 2.
    pub(in crate::features) fn new(period: u32, periods_per_year: Option<f64>) -> Self {
        Self {
            period,
            close: Change::default(),
            opening: Window::new(period),
            body: Window::new(period),
            range: Window::new(period),
            periods_per_year,
        }
    }
}

impl Streaming for YangZhang {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let before = self.close.push(bar.close)?;
        let opening = self.opening.push((bar.open / before).ln());
        let body = self.body.push((bar.close / bar.open).ln());
        let range = self
            .range
            .push(RangeEstimator::RogersSatchell.variance(bar));
        let n = f64::from(self.period);
        let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
        let variance = opening?.variance(1) + k * body?.variance(1) + (1.0 - k) * range?.mean();
        Some(volatility(variance, self.periods_per_year))
    }
}
