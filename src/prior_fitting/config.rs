//! What is fitted to which prior, and how.

use burn::tensor::Device;
use forge_data::TablePriorConfig;
use forge_models::{Labels, Model, ModelConfig, Pretrained, RowContext, TabularSpec};
use forge_nn::parameters::draw_all;
use forge_nn::{ForgeError, ModuleConfig, check};
use forge_train::schedule::{CosineWarmup, ScheduleConfig};
use forge_train::{TrainOutcome, TrainerConfig};
use serde::{Deserialize, Serialize};

use super::PriorTask;
use crate::{Error, FitOptions};

/// An in-context model, a prior, and how the one is trained on the other.
///
/// A row of the trainer is a table: its batch size is tables per step. Every step draws new ones,
/// from the seed and the table's number, so that a resumed run sees the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorFittingConfig {
    /// The architecture, one that predicts from labelled rows. It is sized for the prior: as many
    /// columns as its most, an output per class or one for a number.
    pub model: ModelConfig,
    /// Which tables are drawn.
    pub prior: TablePriorConfig,
    /// Tables of an epoch, at least 1. Default 2,000.
    pub tables: usize,
    /// Tables that are drawn once, apart from all others, to validate on; 0: none. Default 100.
    pub validation_tables: usize,
    /// How to train. Default: 20 epochs, 8 tables per step, AdamW without decay, a cosine from 1e-3
    /// after a warm-up, gradients cut at norm 1.
    pub trainer: TrainerConfig,
}

impl PriorFittingConfig {
    /// The defaults for a model and a prior.
    #[must_use]
    pub fn new(model: ModelConfig, prior: TablePriorConfig) -> Self {
        let schedule = CosineWarmup {
            base_lr: 1e-3,
            ..CosineWarmup::default()
        };
        Self {
            model,
            prior,
            tables: 2_000,
            validation_tables: 100,
            trainer: TrainerConfig {
                epochs: 20,
                batch_size: 8,
                schedule: ScheduleConfig::CosineWarmup(schedule),
                clip_norm: Some(1.0),
                ..TrainerConfig::default()
            },
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), Error> {
        if self.model.capabilities().rows != RowContext::Labelled {
            let allowed = "one that predicts from labelled rows, such as tabpfn_v1";
            return Err(ForgeError::config("model", self.model.name(), allowed).into());
        }
        self.prior.validate()?;
        check::at_least_one("tables", self.tables)?;
        self.trainer.validate()?;
        self.sized()?.validate()?;
        Ok(())
    }

    /// The architecture, sized for the prior.
    ///
    /// # Errors
    /// An unsupported error for a model that cannot have that size.
    pub fn sized(&self) -> Result<ModelConfig, Error> {
        let spec = TabularSpec {
            n_num_features: self.prior.max_features,
            cat_cardinalities: vec![],
            d_out: self.prior.max_classes.max(1),
        };
        let labels = match self.prior.max_classes {
            0 => Labels::Numbers(1),
            classes => Labels::Classes(classes),
        };
        Ok(self.model.clone().sized_for(&spec)?.with_labels(labels)?)
    }

    /// Trains a fresh model. Of the options, those of data have no meaning here.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds, or training that cannot go on.
    pub fn fit(
        &self,
        device: &Device,
        mut options: FitOptions<'_>,
    ) -> Result<TrainOutcome<Model>, Error> {
        self.validate()?;
        let model = self.sized()?;
        let device = device.clone().autodiff();
        device.seed(self.trainer.seed);
        let module = draw_all(model.try_init(&device)?);
        let mut task = PriorTask::new(self, &device)?;
        // What the run depends on beside the trainer's settings.
        let tables = (self.tables, self.validation_tables);
        let identity = (&model, &self.prior, tables);
        let trainer = options.trainer(self.trainer.clone(), &identity)?;
        Ok(trainer.fit(&mut task, module)?)
    }

    /// A fitted model with its architecture, to save.
    ///
    /// # Errors
    /// As [`sized`](Self::sized).
    pub fn pretrained(&self, model: Model) -> Result<Pretrained, Error> {
        Ok(Pretrained {
            config: self.sized()?,
            model,
        })
    }
}
