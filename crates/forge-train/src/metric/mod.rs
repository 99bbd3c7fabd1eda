//! How good predictions are.

mod regression_metrics;
mod scores;

pub use regression_metrics::RegressionMetrics;
pub use scores::{Direction, Score, Scores};
