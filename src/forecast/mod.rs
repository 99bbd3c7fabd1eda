//! From a table of series to forecasts of several steps with quantiles, and one file to deploy.
//!
//! [`Forecaster`] learns, [`FittedForecaster`] forecasts from a table that ends now,
//! [`ForecastStream`] takes one bar after the other. [`Forecaster::backtest`] walks through time.

mod adaptive;
mod alone;
pub(crate) mod artifact;
mod backtest;
mod bands;
#[cfg(feature = "baselines")]
pub mod baseline;
mod choice;
mod config;
mod conformal;
mod evaluate;
mod explain;
mod explanation;
mod features;
mod fit;
mod fitted;
mod following;
mod forecaster;
mod forecasts;
mod input;
mod input_names;
mod level_errors;
mod mean;
mod objective;
mod predict_file;
mod refit;
#[cfg(feature = "experiment")]
pub mod run;
mod season;
mod stream;
mod task;
mod teacher;

pub use adaptive::{AdaptiveBands, AdaptiveConfig, AdaptiveKind};
pub use backtest::{Backtest, BacktestFold};
pub use choice::SeriesModelChoice;
pub use config::ForecasterConfig;
pub use conformal::ConformalOffsets;
pub use evaluate::ForecastScore;
pub use explanation::{Explanation, NamedArray};
pub use fit::ForecastFitReport;
pub use fitted::FittedForecaster;
pub use forecaster::Forecaster;
pub use forecasts::{Forecasts, WindowForecast};
pub use mean::{MeanCorrection, PointForecast};
pub use predict_file::{ForecastAccount, ForecastFileConfig};
pub use season::season;
pub use stream::ForecastStream;
pub use teacher::ForecastTeacher;
