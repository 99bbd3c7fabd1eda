//! Exponential averages.

use serde::{Deserialize, Serialize};

/// An exponential average that starts from the plain mean of its first `period` values:
/// `e ← e + α·(x − e)`. Missing until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ExponentialAverage {
    period: u32,
    alpha: f64,
    /// Sum and number of the values before the start.
    sum: f64,
    count: u32,
    value: Option<f64>,
}

impl ExponentialAverage {
    /// `α = 2/(n + 1)`, the usual one.
    pub(super) fn usual(period: u32) -> Self {
        Self::with_alpha(period, 2.0 / (f64::from(period) + 1.0))
    }

    /// `α = 1/n`, Wilder's.
    pub(super) fn wilder(period: u32) -> Self {
        Self::with_alpha(period, 1.0 / f64::from(period))
    }

    fn with_alpha(period: u32, alpha: f64) -> Self {
        Self {
            period,
            alpha,
            sum: 0.0,
            count: 0,
            value: None,
        }
    }

    pub(super) fn push(&mut self, x: f64) -> Option<f64> {
        if let Some(value) = &mut self.value {
            *value += self.alpha * (x - *value);
        } else {
            self.sum += x;
            self.count = self.count.saturating_add(1);
            if self.count >= self.period {
                self.value = Some(self.sum / f64::from(self.count));
            }
        }
        self.value
    }
}
