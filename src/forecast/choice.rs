//! Which forecasting network.

use forge_models::{SeriesModelConfig, Strategy, TargetKind};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::settings::model_table::{self, ModelTable};
use crate::settings::{ChangedPreset, NameOrTable, name_or_table};

/// A forecasting network by name, at the size of a strategy, with some fields changed if need be, or
/// by its own config.
///
/// In a file: `model = "patch_tst"`, or a table `{ model = "patch_tst", e_layers = 2 }`, whose other
/// fields are those of the strategy's preset (with `preset = false` the model's defaults). Either way
/// it is sized for the windows when the series are known.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one per model of a run")]
pub enum SeriesModelChoice {
    /// A registry name.
    Named(String),
    /// A registry name, and what differs from its preset.
    Changed(ChangedPreset),
    /// A config; its windows are replaced.
    #[serde(serialize_with = "model_table::write_whole")]
    Config(SeriesModelConfig),
}

impl SeriesModelChoice {
    /// The registry name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Changed(choice) => &choice.model,
            Self::Config(config) => config.name(),
        }
    }

    /// The architecture, not sized yet.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know, or fields that the model does not
    /// have.
    pub(super) fn config(&self, strategy: Strategy) -> Result<SeriesModelConfig, Error> {
        Ok(match self {
            Self::Named(name) => SeriesModelConfig::preset(name, strategy)?.config,
            Self::Changed(choice) => choice.config(strategy, TargetKind::Numbers)?,
            Self::Config(config) => config.clone(),
        })
    }
}

impl<'de> Deserialize<'de> for SeriesModelChoice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match name_or_table(from)? {
            NameOrTable::Name(name) => Self::Named(name),
            NameOrTable::Table(fields) => {
                match model_table::read(fields).map_err(D::Error::custom)? {
                    ModelTable::Changed(choice) => Self::Changed(choice),
                    ModelTable::Whole(config) => Self::Config(config),
                }
            }
        })
    }
}

impl From<&str> for SeriesModelChoice {
    fn from(name: &str) -> Self {
        Self::Named(name.into())
    }
}

impl From<SeriesModelConfig> for SeriesModelChoice {
    fn from(config: SeriesModelConfig) -> Self {
        Self::Config(config)
    }
}
