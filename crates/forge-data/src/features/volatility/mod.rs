//! Volatility from bars.

mod close;
mod config;
mod range;
mod yang_zhang;

pub(super) use close::{Bipower, CloseToClose};
pub use config::VolatilityConfig;
pub use range::RangeEstimator;
pub(super) use range::RangeVolatility;
pub(super) use yang_zhang::YangZhang;

/// `√(variance·bars per year)`; without the latter, the volatility of one bar.
fn volatility(variance: f64, periods_per_year: Option<f64>) -> f64 {
    // Rounding may leave a variance of 0 a hair below it.
    (variance.max(0.0) * periods_per_year.unwrap_or(1.0)).sqrt()
}
