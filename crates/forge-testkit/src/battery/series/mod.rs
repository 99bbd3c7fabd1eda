//! What every forecasting model must do.

mod inputs;
mod maps;
mod outputs;
mod padding;
mod scale;
mod training;
mod windows;

pub use inputs::{covariates_of_windows_matter, undeclared_windows_are_refused};
pub use maps::maps_of_windows_are_returned;
pub use outputs::{large_windows_stay_finite, outputs_rise};
pub use padding::padding_of_windows_changes_nothing;
pub use scale::{forecast_follows_scale, forecast_follows_shift};
pub use training::overfits_windows;
pub use windows::series_subjects;
