//! How good predictions are, computed in f64 on the host whatever the model's type.
//!
//! Where scikit-learn has a metric of the same name, the values and conventions are its own; where
//! it warns and returns a number for something undefined (a ranking of one class), this is an
//! error. `weights` are one per row, finite and at least 0; absent means 1 each.

mod average_precision;
mod brier;
mod confusion_matrix;
mod forecast;
mod interval;
mod log_loss;
mod monte_carlo;
mod pinball;
mod regression_metrics;
mod reliability_curve;
mod roc_curve;
mod rows;
mod scores;
mod significant;

pub use average_precision::average_precision;
pub use brier::brier;
pub use confusion_matrix::ConfusionMatrix;
pub use forecast::{
    DieboldMariano, DirectionAccuracy, ForecastCell, ForecastLoss, ForecastScorer,
    IntervalCoverage, StepScores,
};
pub use interval::{IntervalMetrics, central_intervals};
pub use log_loss::log_loss;
pub use monte_carlo::monte_carlo_log_likelihood;
pub use pinball::pinball;
pub use regression_metrics::RegressionMetrics;
pub use reliability_curve::{ReliabilityBin, ReliabilityCurve};
pub use roc_curve::{RocCurve, auroc, auroc_one_vs_rest};
pub(crate) use rows::check_probabilities;
pub use scores::{Direction, Score, Scores};
pub use significant::significant;
