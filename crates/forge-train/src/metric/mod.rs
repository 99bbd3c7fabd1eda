//! How good predictions are.

mod regression_metrics;

pub use regression_metrics::RegressionMetrics;
