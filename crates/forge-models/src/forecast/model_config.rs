//! What every config of a forecasting model can do.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, StateDict};

use super::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use super::{SeriesModel, SeriesModelConfig, unknown};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy};

impl SeriesModelConfig {
    /// The default architecture of the model called `name`. What depends on the windows is set by
    /// [`sized_for`](Self::sized_for).
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn named(name: &str) -> Result<Self, ForgeError> {
        by_name!(name, C => Ok(C::default().into()))
    }

    /// A narrow instance of the model called `name`: for tests and trial runs.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn narrow(name: &str) -> Result<Self, ForgeError> {
        by_name!(name, C => Ok(C::narrow().into()))
    }

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

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        each_config!(self, config => name_of(config))
    }

    /// What the model supports.
    #[must_use]
    pub fn capabilities(&self) -> ForecastCapabilities {
        each_config!(self, config => capabilities_of(config))
    }

    /// The windows that the config is sized for.
    #[must_use]
    pub fn spec(&self) -> SeriesSpec {
        each_config!(self, config => config.spec())
    }

    /// This architecture, sized for `windows`.
    ///
    /// # Errors
    /// As [`ForecastConfig::sized_for`].
    pub fn sized_for(self, windows: &SeriesSpec) -> Result<Self, ForgeError> {
        each_config!(self, config => config.sized_for(windows).map(Into::into))
    }

    /// Number of trainable parameters, by arithmetic on the config.
    ///
    /// # Errors
    /// What validation finds.
    pub fn parameter_count(&self) -> Result<usize, ForgeError> {
        self.validate()?;
        Ok(each_config!(self, config => config.parameter_count()))
    }

    /// The reference implementation whose checkpoints [`load_reference`](Self::load_reference)
    /// reads.
    #[must_use]
    pub fn reference(&self) -> &'static str {
        each_config!(self, config => reference_of(config))
    }

    /// The reference's names of the model's tensors.
    #[must_use]
    pub fn key_map(&self) -> KeyMap {
        each_config!(self, config => config.key_map())
    }

    /// Makes the model with the weights of its authors' checkpoint.
    ///
    /// # Errors
    /// As [`ReferenceWeights::load_reference`].
    pub fn load_reference(
        &self,
        checkpoint: &StateDict,
        device: &Device,
    ) -> Result<SeriesModel, ForgeError> {
        each_config!(self, config, wrap => config.load_reference(checkpoint, device).map(wrap))
    }

    /// Reads a config from a JSON object tagged by `"model"`. Fields that are left out are the
    /// default's. Does not validate.
    ///
    /// # Errors
    /// A config error: bad JSON, an unknown model (with the names there are), an unknown field
    /// (with the fields there are), a value of the wrong type.
    pub fn from_json(text: &str) -> Result<Self, ForgeError> {
        crate::registry::from_json(text, Self::NAMES)
    }

    /// [`from_json`](Self::from_json) for JSON already parsed.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_value(value: serde_json::Value) -> Result<Self, ForgeError> {
        crate::registry::from_value(value, Self::NAMES)
    }
}

impl ModuleConfig for SeriesModelConfig {
    type Module = SeriesModel;

    fn validate(&self) -> Result<(), ForgeError> {
        each_config!(self, config => config.validate())
    }

    fn build(&self, device: &Device) -> SeriesModel {
        each_config!(self, config, wrap => wrap(config.build(device)))
    }
}

// Constants of the type of a value.
fn name_of<C: ForecastConfig>(_: &C) -> &'static str {
    C::NAME
}

fn capabilities_of<C: ForecastConfig>(_: &C) -> ForecastCapabilities {
    C::CAPABILITIES
}

fn reference_of<C: ReferenceWeights>(_: &C) -> &'static str {
    C::REFERENCE
}
