//! What every forecasting model is, takes and declares.

mod calendar_steps;
mod capabilities;
mod forecast_config;
mod forecast_model;
mod series_input;
mod series_spec;

pub use calendar_steps::CalendarSteps;
pub use capabilities::ForecastCapabilities;
pub use forecast_config::ForecastConfig;
pub use forecast_model::ForecastModel;
pub use series_input::SeriesInput;
pub use series_spec::SeriesSpec;
