//! Which network.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use forge_models::{Labels, ModelConfig, Pretrained, Strategy, TabularSpec, TargetKind};
use forge_nn::ForgeError;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::Error;
use crate::settings::model_table::{self, ModelTable};
use crate::settings::{ChangedPreset, NameOrTable, name_or_table};

/// A network by name, at the size of a strategy, with some fields changed if need be, or by its own
/// config.
///
/// In a file: `model = "ft_transformer"`, or a table `{ model = "ft_transformer", n_blocks = 2 }`,
/// whose other fields are those of the strategy's preset (with `preset = false` the model's defaults,
/// which are its paper's), and whose `"none"` takes out a field that may be absent.
/// Either way it is sized for the table when the table is known. With weights that were trained
/// elsewhere: `{ model = "tabpfn_v1", pretrained = "weights.safetensors" }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one per model of a run")]
pub enum ModelChoice {
    /// A registry name.
    Named(String),
    /// A registry name, and what differs from its preset.
    Changed(ChangedPreset),
    /// A model with weights from a file.
    Pretrained(PretrainedChoice),
    /// A config; what of it depends on the table is replaced.
    #[serde(serialize_with = "model_table::write_whole")]
    Config(ModelConfig),
}

/// An in-context model (`tabpfn_v1`, `tabicl`) with weights from a file: it predicts from the training
/// rows in its input, and nothing is trained unless `training.epochs` says for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedChoice {
    /// A registry name.
    pub model: String,
    /// A safetensors file: [`Pretrained::save`]'s, or the authors' `state_dict`.
    pub pretrained: PathBuf,
    /// Fields of the config of the authors' weights where they are not the model's default. A file of
    /// [`Pretrained::save`] has its own.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub architecture: Map<String, Value>,
}

impl PretrainedChoice {
    /// The architecture of the authors' weights.
    fn config(&self) -> Result<ModelConfig, ForgeError> {
        let mut fields = self.architecture.clone();
        fields.insert("model".into(), self.model.clone().into());
        ModelConfig::from_value(Value::Object(fields))
    }
}

/// `ft_transformer`, which `docs/models/choosing.md` says to try first.
impl Default for ModelChoice {
    fn default() -> Self {
        "ft_transformer".into()
    }
}

impl ModelChoice {
    /// Model `model` with the weights in a file.
    #[must_use]
    pub fn pretrained(model: &str, weights: impl Into<PathBuf>) -> Self {
        Self::Pretrained(PretrainedChoice {
            model: model.into(),
            pretrained: weights.into(),
            architecture: Map::new(),
        })
    }

    /// The file of weights, where there is one.
    #[must_use]
    pub fn weights(&self) -> Option<&Path> {
        match self {
            Self::Pretrained(choice) => Some(&choice.pretrained),
            Self::Named(_) | Self::Changed(_) | Self::Config(_) => None,
        }
    }

    /// Changes the path of the file of weights, where there is one.
    ///
    /// # Errors
    /// What `change` returns.
    #[cfg(feature = "experiment")]
    pub(crate) fn move_weights<E>(
        &mut self,
        change: impl FnOnce(&Path) -> Result<PathBuf, E>,
    ) -> Result<(), E> {
        if let Self::Pretrained(choice) = self {
            choice.pretrained = change(&choice.pretrained)?;
        }
        Ok(())
    }

    /// The weights in the file, where there is one, for a table of this make.
    ///
    /// # Errors
    /// As [`Pretrained::read`] and [`Pretrained::for_table`].
    pub(super) fn read_weights(
        &self,
        spec: &TabularSpec,
        labels: Labels,
        device: &Device,
    ) -> Result<Option<Pretrained>, Error> {
        let Self::Pretrained(choice) = self else {
            return Ok(None);
        };
        let columns = spec.n_num_features;
        let read = Pretrained::read(&choice.pretrained, choice.config()?, columns, device)?;
        Ok(Some(read.for_table(spec, labels)?))
    }

    /// The registry name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Changed(choice) => &choice.model,
            Self::Pretrained(choice) => &choice.model,
            Self::Config(config) => config.name(),
        }
    }

    /// The architecture, not sized yet.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know, or fields that the model does not
    /// have.
    pub(super) fn config(
        &self,
        strategy: Strategy,
        target: TargetKind,
    ) -> Result<ModelConfig, ForgeError> {
        Ok(match self {
            Self::Named(name) => ModelConfig::preset_for(name, strategy, target)?.config,
            Self::Changed(choice) => choice.config(strategy, target)?,
            Self::Pretrained(choice) => choice.config()?,
            Self::Config(config) => config.clone(),
        })
    }

    /// The config for a table of this make and a target of this kind.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know, or fields that the model does not
    /// have; an unsupported error for a kind of feature that the model does not take.
    pub fn sized_for(
        &self,
        strategy: Strategy,
        spec: &TabularSpec,
        target: TargetKind,
    ) -> Result<ModelConfig, Error> {
        Ok(self.config(strategy, target)?.sized_for(spec)?)
    }
}

impl From<&str> for ModelChoice {
    fn from(name: &str) -> Self {
        Self::Named(name.into())
    }
}

impl<'de> Deserialize<'de> for ModelChoice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match name_or_table(from)? {
            NameOrTable::Name(name) => Self::Named(name),
            NameOrTable::Table(fields) if fields.get("pretrained").is_some() => {
                Self::Pretrained(serde_json::from_value(fields).map_err(D::Error::custom)?)
            }
            NameOrTable::Table(fields) => {
                match model_table::read(fields).map_err(D::Error::custom)? {
                    ModelTable::Changed(choice) => Self::Changed(choice),
                    ModelTable::Whole(config) => Self::Config(config),
                }
            }
        })
    }
}

impl From<ModelConfig> for ModelChoice {
    fn from(config: ModelConfig) -> Self {
        Self::Config(config)
    }
}
