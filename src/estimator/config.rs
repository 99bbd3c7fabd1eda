//! What a regressor is made of.

use forge_data::PreprocessConfig;
use forge_models::{ModelConfig, TabularSpec};
use forge_nn::{ForgeError, ModuleConfig, check};
use forge_train::TrainerConfig;
use forge_train::loss::{LossConfig, RegressionLoss};
use serde::{Deserialize, Serialize};

use super::preset;
use crate::{Error, Strategy};

/// Model, preprocessing, loss and training of a [`TabularRegressor`](super::TabularRegressor).
///
/// ```
/// use volatilityforge::{RegressorConfig, Strategy};
///
/// let mut config = RegressorConfig::preset("ft_transformer", Strategy::Fast)?;
/// config.training.epochs = 3;
/// assert!(RegressorConfig::preset("ft_transfomer", Strategy::Fast).is_err());
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressorConfig {
    /// Which network.
    pub model: ModelChoice,
    /// What is done to the columns. The encoding of categories follows the model: codes where it
    /// takes them, one-hot columns elsewhere.
    pub preprocess: PreprocessConfig,
    /// The loss on the standardised target. A loss with several outputs (quantiles) needs a model
    /// of one output a target and is refused.
    pub loss: LossConfig,
    /// Epochs, batches, optimiser, schedule, averaging, early stopping, seed.
    pub training: TrainerConfig,
    /// Part of the rows that [`fit`](super::TabularRegressor::fit) holds out for early stopping,
    /// in `[0, 1)`. Default 0.15.
    pub validation_fraction: f64,
}

/// A network by name, sized for the table when it is known, or one already sized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ModelChoice {
    /// A registry name, at the size of a strategy.
    Named {
        /// As in the registry.
        name: String,
        /// Which size.
        strategy: Strategy,
    },
    /// Its features and outputs must fit the table.
    Sized(ModelConfig),
}

impl ModelChoice {
    /// The registry name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named { name, .. } => name,
            Self::Sized(config) => config.name(),
        }
    }

    /// The config for a table of this make.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know.
    pub fn size(&self, spec: &TabularSpec) -> Result<ModelConfig, Error> {
        match self {
            Self::Named { name, strategy } => preset::model(name, *strategy, spec),
            Self::Sized(config) => Ok(config.clone()),
        }
    }
}

impl RegressorConfig {
    /// Settings that suit `model` at this strategy for a table of some ten thousand rows; see
    /// [`preset_for`](Self::preset_for).
    ///
    /// # Errors
    /// A config error for a name that the registry does not know.
    pub fn preset(model: &str, strategy: Strategy) -> Result<Self, Error> {
        Self::preset_for(model, strategy, 10_000)
    }

    /// Settings that suit `model` at this strategy for `rows` training rows: batches and epochs
    /// follow the table's length, so that a small one is not trained too little.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know.
    pub fn preset_for(model: &str, strategy: Strategy, rows: usize) -> Result<Self, Error> {
        ModelConfig::capabilities_of(model)?;
        Ok(Self {
            preprocess: preset::preprocess(model),
            loss: LossConfig::default(),
            training: preset::training(model, strategy, rows),
            validation_fraction: 0.15,
            model: ModelChoice::Named {
                name: model.into(),
                strategy,
            },
        })
    }

    /// Checks every field that does not depend on the table.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        self.preprocess.validate()?;
        self.loss.validate()?;
        self.training.validate()?;
        check::probability("validation_fraction", self.validation_fraction)?;
        if self.loss.outputs_per_target() != 1 {
            let allowed = "a loss of one output a target";
            return Err(ForgeError::config("loss", &self.loss, allowed).into());
        }
        if let ModelChoice::Sized(model) = &self.model {
            model.validate()?;
        }
        Ok(())
    }
}
