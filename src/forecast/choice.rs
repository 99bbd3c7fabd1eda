//! Which forecasting network.

use forge_models::{SeriesModelConfig, Strategy};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Error;
use crate::settings::{NameOrTable, name_or_table};

/// A forecasting network by name, at the size of a strategy, or by its own config.
///
/// In a file: `model = "patch_tst"`, or a table `{ model = "patch_tst", e_layers = 2 }`. Either way
/// it is sized for the windows when the series are known.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one per model of a run")]
pub enum SeriesModelChoice {
    /// A registry name.
    Named(String),
    /// A config; its windows are replaced.
    Config(SeriesModelConfig),
}

impl SeriesModelChoice {
    /// The registry name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Config(config) => config.name(),
        }
    }

    /// The architecture, not sized yet.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know.
    pub(super) fn config(&self, strategy: Strategy) -> Result<SeriesModelConfig, Error> {
        Ok(match self {
            Self::Named(name) => SeriesModelConfig::preset(name, strategy)?.config,
            Self::Config(config) => config.clone(),
        })
    }
}

impl<'de> Deserialize<'de> for SeriesModelChoice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match name_or_table(from)? {
            NameOrTable::Name(name) => Self::Named(name),
            NameOrTable::Table(fields) => {
                Self::Config(SeriesModelConfig::from_value(fields).map_err(D::Error::custom)?)
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
