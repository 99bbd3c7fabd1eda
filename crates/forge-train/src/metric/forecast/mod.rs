//! How good forecasts are, step by step.

mod direction;
mod scorer;

pub use direction::DirectionAccuracy;
pub use scorer::{ForecastCell, ForecastScorer, IntervalCoverage, StepScores};
