//! How good forecasts are, step by step.

mod diebold_mariano;
mod direction;
mod scorer;

pub use diebold_mariano::DieboldMariano;
pub use direction::DirectionAccuracy;
pub use scorer::{ForecastCell, ForecastLoss, ForecastScorer, IntervalCoverage, StepScores};
