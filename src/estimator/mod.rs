//! From a table to a trained model and back to a table, in three lines.

mod config;
mod fit;
mod fitted;
mod preset;
mod strategy;
mod task;

pub use config::{ModelChoice, RegressorConfig};
pub use fit::{FitOptions, FitReport, TabularRegressor};
pub use fitted::FittedRegressor;
pub use strategy::Strategy;
