//! What every config of a forecasting model can do.

use forge_nn::ForgeError;

use super::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use super::{SeriesModelConfig, unknown};
use crate::{Preset, Strategy};

impl SeriesModelConfig {
    /// Sizes and training settings of the model called `name` for a strategy.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn preset(name: &str, strategy: Strategy) -> Result<Preset<Self>, ForgeError> {
        by_name!(name, C => Ok(C::preset(strategy).map(Into::into)))
    }

    /// What the model called `name` supports.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn capabilities_of(name: &str) -> Result<ForecastCapabilities, ForgeError> {
        by_name!(name, C => Ok(C::CAPABILITIES))
    }

    /// What the model supports.
    #[must_use]
    pub fn capabilities(&self) -> ForecastCapabilities {
        each_config!(self, config => capabilities_of(config))
    }

    /// The windows that the config is sized for.
    #[must_use]
    pub fn spec(&self) -> SeriesSpec {
        each_config!(self, config => config.windows().clone())
    }

    /// This architecture, sized for `windows`.
    ///
    /// # Errors
    /// As [`ForecastConfig::sized_for`].
    pub fn sized_for(self, windows: &SeriesSpec) -> Result<Self, ForgeError> {
        each_config!(self, config => config.sized_for(windows).map(Into::into))
    }
}

// A constant of the type of a value.
fn capabilities_of<C: ForecastConfig>(_: &C) -> ForecastCapabilities {
    C::CAPABILITIES
}
