//! The config of a forecasting model.

use forge_nn::ForgeError;

use super::{ForecastCapabilities, ForecastModel, SeriesSpec};
use crate::{ParameterCount, Preset, Strategy};

/// The config of a forecasting model.
///
/// Its `Default` is the paper's architecture where the paper states one. There is one way to size
/// it, [`sized_for`](Self::sized_for).
pub trait ForecastConfig: ParameterCount<Module: ForecastModel> + Default {
    /// The model's name in the registry.
    const NAME: &'static str;

    /// What it supports.
    const CAPABILITIES: ForecastCapabilities;

    /// The windows that the config is sized for.
    fn windows(&self) -> &SeriesSpec;

    /// This architecture with other windows, which it takes: what [`sized_for`](Self::sized_for) makes of
    /// them.
    ///
    /// # Errors
    /// A config error for windows that the architecture cannot have (shorter than a patch, say).
    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError>;

    /// This architecture, sized for other windows.
    ///
    /// # Errors
    /// As [`SeriesSpec::check_takes`] and [`with_windows`](Self::with_windows).
    fn sized_for(self, windows: &SeriesSpec) -> Result<Self, ForgeError> {
        windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        self.with_windows(windows.clone())
    }

    /// A narrow instance in which every kind of layer and every dropout is present: for tests and
    /// trial runs. Sized for nothing in particular.
    fn narrow() -> Self;

    /// Sizes and training settings of a strategy.
    fn preset(strategy: Strategy) -> Preset<Self>;
}
