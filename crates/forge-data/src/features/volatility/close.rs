//! Volatility from closes.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::volatility;
use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::technical::Change;
use crate::features::window::Window;

/// Sample deviation of the last log returns: their mean is taken off, `n − 1` divides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct CloseToClose {
    close: Change,
    returns: Window,
    periods_per_year: Option<f64>,
}

impl CloseToClose {
    pub(in crate::features) fn new(period: u32, periods_per_year: Option<f64>) -> Self {
        Self {
            close: Change::default(),
            returns: Window::new(period),
            periods_per_year,
        }
    }
}

impl Streaming for CloseToClose {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let r = self.close.log(bar.close)?;
        let returns = self.returns.push(r)?;
        Some(volatility(returns.variance(1), self.periods_per_year))
    }
}

/// `π/2·Σ|rᵢ||rᵢ₋₁|/(n − 1)` over the last `n` log returns: a jump is in two products, each beside an
/// ordinary return, so that it hardly counts (Barndorff-Nielsen and Shephard 2004, "Power and bipower
/// variation with stochastic volatility and jumps", Journal of Financial Econometrics 2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Bipower {
    close: Change,
    /// The size of the last return.
    before: Change,
    products: Window,
    periods_per_year: Option<f64>,
}

impl Bipower {
    /// `period` returns, at least 2.
    pub(in crate::features) fn new(period: u32, periods_per_year: Option<f64>) -> Self {
        Self {
            close: Change::default(),
            before: Change::default(),
            products: Window::new(period.saturating_sub(1)),
            periods_per_year,
        }
    }
}

impl Streaming for Bipower {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let size = self.close.log(bar.close)?.abs();
        let before = self.before.push(size)?;
        let products = self.products.push(before * size)?;
        Some(volatility(
            FRAC_PI_2 * products.mean(),
            self.periods_per_year,
        ))
    }
}
