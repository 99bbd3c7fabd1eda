#![doc = include_str!("README.md")]

mod config;
mod model;

pub use config::ModernTcnForecasterConfig;
pub use model::ModernTcnForecaster;
