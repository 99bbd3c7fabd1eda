//! What an estimator is made of.

use forge_data::{NumericTransform, PreprocessConfig};
use forge_models::{ModelConfig, RowContext, Strategy, TargetKind};
use forge_nn::{ForgeError, check};
use forge_train::TrainerConfig;
use forge_train::objective::{Objective, ObjectiveConfig};
use serde::{Deserialize, Serialize};

use crate::settings::text_or_table;

use super::{CalibrationConfig, ModelChoice, Task, TrainingSettings, preset};
use crate::{Error, Refit, ensemble};

/// Model, objective, preprocessing and training: the one home of these settings, for the library,
/// for TOML files and for the command line of the examples.
///
/// Absent fields take their defaults; unknown ones are an error.
///
/// ```
/// use volatilityforge::{EstimatorConfig, Strategy};
///
/// let mut config = EstimatorConfig::named("ft_transformer", Strategy::Fast)?;
/// config.training.epochs = Some(3);
/// assert!(EstimatorConfig::named("ft_transfomer", Strategy::Fast).is_err());
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EstimatorConfig {
    /// Which network. Default `ft_transformer`.
    pub model: ModelChoice,
    /// Its size where it is only named, and how long it is trained. Default balanced.
    pub strategy: Strategy,
    /// What the outputs mean. Default: regression with a Huber loss for numbers, cross-entropy for
    /// classes, with what the model's recipe changes of them (`realmlp`: squared error, smoothed labels). In a file: a table, or a text as on the command line, such as
    /// `"quantiles:0.1,0.5,0.9"`.
    #[serde(deserialize_with = "text_or_table")]
    pub objective: Option<ObjectiveConfig>,
    /// What is done to the columns. The encoding of categories follows the model: codes where it
    /// takes them, one-hot columns elsewhere. Default: standardised numbers.
    pub preprocess: PreprocessConfig,
    /// How to train, where it differs from the model's preset.
    pub training: TrainingSettings,
    /// Part of the rows that `fit` holds out for early stopping, in `[0, 1)`. Default 0.15.
    pub validation_fraction: f64,
    /// Networks that are trained and whose predictions are averaged, 1 to 100: a deep ensemble
    /// (Lakshminarayanan et al. 2017, arXiv 1612.01474), for so many times the time and the file. They
    /// differ by their seed alone: `training.seed`, and from one to the next 1,000 more. Rows and
    /// preprocessing are the same, a threshold is chosen for all together, and `training.max_seconds` is
    /// each one's. Default 1.
    // Left out where it is 1, so that what was written without it is still whole.
    #[serde(skip_serializing_if = "is_one")]
    pub ensemble: usize,
    /// Whether the networks are trained again, on training and validation rows together, once the
    /// validation rows have shown for how many epochs: twice the time and more, for a model that has
    /// learnt from every row. Weights, batches and rates start as in the first run; validation scores
    /// and a threshold chosen by them stay those of the first. Not with `max_seconds`, `snapshots`,
    /// `soup` or a rate that follows the scores. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refit: bool,
    /// Whether predictions are put right by the validation rows once the networks are trained, see
    /// [`FittedModel::calibrate`](crate::FittedModel::calibrate): probabilities of classes by a temperature,
    /// numbers by quantiles that hold their share. With `refit` it is the first run's, which had not learnt
    /// from those rows. Default: not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationConfig>,
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

impl Default for EstimatorConfig {
    fn default() -> Self {
        Self {
            model: ModelChoice::default(),
            strategy: Strategy::default(),
            objective: None,
            preprocess: PreprocessConfig {
                numeric: NumericTransform::Standardize,
                ..PreprocessConfig::default()
            },
            training: TrainingSettings::default(),
            validation_fraction: 0.15,
            ensemble: 1,
            refit: false,
            calibration: None,
        }
    }
}

impl EstimatorConfig {
    /// The defaults with this model and strategy.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know.
    pub fn named(model: &str, strategy: Strategy) -> Result<Self, Error> {
        ModelConfig::capabilities_of(model)?;
        Ok(Self {
            model: model.into(),
            strategy,
            ..Self::default()
        })
    }

    /// Checks every field that does not depend on the table.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        let capabilities = ModelConfig::capabilities_of(self.model.name())?;
        if self.model.weights().is_some() && capabilities.rows != RowContext::Labelled {
            let allowed = "absent: only weights of models that predict from labelled rows, such as \
                           tabpfn_v1, fit a table that they were not trained on";
            return Err(ForgeError::config("pretrained", self.model.name(), allowed).into());
        }
        if let Some(objective) = &self.objective {
            objective.validate()?;
        }
        self.model.config(self.strategy, self.target())?;
        self.preprocess.validate()?;
        ensemble::check_size(self.ensemble)?;
        if self.ensemble > 1 && !self.trains() {
            let allowed = "1 for weights that nothing trains: all networks would be the same \
                           (training.epochs trains them further)";
            return Err(ForgeError::config("ensemble", self.ensemble, allowed).into());
        }
        let trainer = self.trainer(10_000)?;
        if self.refit {
            Refit::check(&trainer)?;
        }
        if let Some(calibration) = &self.calibration {
            calibration.validate()?;
        }
        if let Some(augmentation) = &self.training.augmentation {
            augmentation.validate()?;
        }
        check::probability("validation_fraction", self.validation_fraction)?;
        Ok(())
    }

    /// Whether anything is trained: weights from a file are used as they are unless
    /// `training.epochs` (or `training.config`) says how to train them further.
    #[must_use]
    pub fn trains(&self) -> bool {
        let training = &self.training;
        self.model.weights().is_none() || training.epochs.is_some() || training.config.is_some()
    }

    /// The task that the objective is for, where one is given.
    #[must_use]
    pub fn implied_task(&self) -> Option<Task> {
        let objective = self.objective.as_ref()?;
        Some(match objective.n_classes() {
            Some(_) => Task::Classification,
            None => Task::Regression,
        })
    }

    /// The trainer's settings for `rows` training rows: batches and epochs follow the table's
    /// length, so that a small one is not trained too little. For the kind of target that the
    /// objective is for, and for numbers without one.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn trainer(&self, rows: usize) -> Result<TrainerConfig, Error> {
        self.trainer_for(rows, self.target())
    }

    /// What the objective is for, and numbers without one.
    fn target(&self) -> TargetKind {
        match self.implied_task() {
            Some(Task::Classification) => TargetKind::Classes,
            _ => TargetKind::Numbers,
        }
    }

    /// [`trainer`](Self::trainer) for a kind of target.
    pub(super) fn trainer_for(
        &self,
        rows: usize,
        target: TargetKind,
    ) -> Result<TrainerConfig, Error> {
        let name = self.model.name();
        let trainer = preset::training(name, self.strategy, rows, target)?;
        let trainer = self.training.apply(trainer, rows)?;
        let part = trainer.batch_size.div_ceil(trainer.micro_batches);
        if part < 2 && ModelConfig::capabilities_of(name)?.batch_statistics {
            let (field, value, allowed) = match trainer.batch_size {
                1 => ("batch_size", 1, "2 or more, better 16"),
                _ => (
                    "micro_batches",
                    trainer.micro_batches,
                    "at most half of batch_size",
                ),
            };
            let why = "normalises by the mean and deviation of a batch, and one row has none";
            return Err(
                ForgeError::config(field, value, format!("{allowed}: {name} {why}")).into(),
            );
        }
        Ok(trainer)
    }
}
