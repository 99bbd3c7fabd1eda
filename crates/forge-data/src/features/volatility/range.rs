//! Volatility from the range within bars.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::volatility;
use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// How the variance of one bar is told from its four prices. The mean over the last bars is taken;
/// what happens between bars (overnight) is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeEstimator {
    /// `ln²(H/L)/(4 ln 2)`: right for a price without drift (Parkinson 1980, "The extreme value method
    /// for estimating the variance of the rate of return", Journal of Business 53).
    Parkinson,
    /// `ln²(H/L)/2 − (2 ln 2 − 1)·ln²(C/O)`: right without drift, with less noise (Garman and Klass
    /// 1980, "On the estimation of security price volatilities from historical data", Journal of
    /// Business 53, their practical form).
    GarmanKlass,
    /// `ln(H/C)·ln(H/O) + ln(L/C)·ln(L/O)`: right with any drift (Rogers and Satchell 1991,
    /// "Estimating variance from high, low and closing prices", Annals of Applied Probability 1).
    RogersSatchell,
}

impl RangeEstimator {
    /// The variance of one bar.
    pub(super) fn variance(self, bar: &Bar) -> f64 {
        let log = |a: f64, b: f64| (a / b).ln();
        match self {
            Self::Parkinson => {
                let range = log(bar.high, bar.low);
                range * range / (4.0 * LN_2)
            }
            Self::GarmanKlass => {
                let range = log(bar.high, bar.low);
                let body = log(bar.close, bar.open);
                0.5 * range * range - (2.0 * LN_2 - 1.0) * body * body
            }
            Self::RogersSatchell => {
                log(bar.high, bar.close) * log(bar.high, bar.open)
                    + log(bar.low, bar.close) * log(bar.low, bar.open)
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct RangeVolatility {
    estimator: RangeEstimator,
    variances: Window,
    periods_per_year: Option<f64>,
}

impl RangeVolatility {
    pub(in crate::features) fn new(
        estimator: RangeEstimator,
        period: u32,
        periods_per_year: Option<f64>,
    ) -> Self {
        Self {
            estimator,
            variances: Window::new(period),
            periods_per_year,
        }
    }
}

impl Streaming for RangeVolatility {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let variances = self.variances.push(self.estimator.variance(bar))?;
        Some(volatility(variances.mean(), self.periods_per_year))
    }
}
