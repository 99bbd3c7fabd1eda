//! Which network.

use forge_models::{ModelConfig, Strategy, TabularSpec, TargetKind};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A network by name, at the size of a strategy, or by its own config.
///
/// In a file: `model = "ft_transformer"`, or a table `{ model = "ft_transformer", n_blocks = 2 }`.
/// Either way it is sized for the table when the table is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one per model of a run")]
pub enum ModelChoice {
    /// A registry name.
    Named(String),
    /// A config; what of it depends on the table is replaced.
    Config(ModelConfig),
}

impl ModelChoice {
    /// The registry name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Config(config) => config.name(),
        }
    }

    /// The config for a table of this make and a target of this kind.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know; an unsupported error for a kind
    /// of feature that the model does not take.
    pub fn sized_for(
        &self,
        strategy: Strategy,
        spec: &TabularSpec,
        target: TargetKind,
    ) -> Result<ModelConfig, Error> {
        let config = match self {
            Self::Named(name) => ModelConfig::preset_for(name, strategy, target)?.config,
            Self::Config(config) => config.clone(),
        };
        Ok(config.sized_for(spec)?)
    }
}

impl From<&str> for ModelChoice {
    fn from(name: &str) -> Self {
        Self::Named(name.into())
    }
}

impl From<ModelConfig> for ModelChoice {
    fn from(config: ModelConfig) -> Self {
        Self::Config(config)
    }
}
