//! How to train, where it differs from the preset.

use forge_nn::{ForgeError, check};
use forge_train::TrainerConfig;
use forge_train::averaging::SwaConfig;
use forge_train::optimizer::OptimizerConfig;
use serde::{Deserialize, Serialize};

/// How to train: the model's preset with these changes. What is absent stays as the preset has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {
    /// Seed of weights, batches, dropout and the rows held out by `fit`. Default 0.
    pub seed: u64,
    /// Most epochs, 1 to 1,000,000.
    pub epochs: Option<usize>,
    /// Rows per optimiser step, at least 1.
    pub batch_size: Option<usize>,
    /// Parts that a batch is computed in, at least 1.
    pub micro_batches: Option<usize>,
    /// Highest learning rate, above 0, whatever the schedule.
    pub learning_rate: Option<f64>,
    /// Decoupled weight decay, at least 0.
    pub weight_decay: Option<f64>,
    /// Longest gradient, above 0.
    pub clip_norm: Option<f64>,
    /// Whether to keep a running average (EMA) of the weights.
    pub ema: Option<bool>,
    /// Stochastic weight averaging over the last part of the run.
    pub swa: Option<SwaConfig>,
    /// Epochs without improvement that end the run, at least 1.
    pub patience: Option<usize>,
    /// Wall-clock seconds after which training ends, above 0.
    pub max_seconds: Option<f64>,
    /// Memory that what a step looks at beside its rows may take, in GB, above 0: models whose
    /// rows look at each other or at other training rows refuse tables that need more. Default 8.
    pub context_gigabytes: Option<f64>,
    /// Everything, instead of the preset; the other fields change it. Its own seed is not used.
    pub config: Option<TrainerConfig>,
}

impl TrainingSettings {
    /// `base` with these changes.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub(super) fn apply(&self, base: TrainerConfig) -> Result<TrainerConfig, ForgeError> {
        let mut trainer = self.config.clone().unwrap_or(base);
        trainer.seed = self.seed;
        if let Some(epochs) = self.epochs {
            trainer.epochs = epochs;
        }
        if let Some(batch_size) = self.batch_size {
            trainer.batch_size = batch_size;
        }
        if let Some(parts) = self.micro_batches {
            trainer.micro_batches = parts;
        }
        if let Some(rate) = self.learning_rate {
            trainer.schedule = trainer.schedule.with_peak_lr(rate);
        }
        if let Some(decay) = self.weight_decay {
            let OptimizerConfig::AdamW(optimizer) = &mut trainer.optimizer;
            optimizer.weight_decay = decay;
        }
        if self.clip_norm.is_some() {
            trainer.clip_norm = self.clip_norm;
        }
        match self.ema {
            Some(false) => trainer.ema = None,
            Some(true) if trainer.ema.is_none() => trainer.ema = Some(Default::default()),
            _ => {}
        }
        if self.swa.is_some() {
            trainer.swa.clone_from(&self.swa);
        }
        if let Some(patience) = self.patience {
            trainer.early_stopping.get_or_insert_default().patience = patience;
        }
        if self.max_seconds.is_some() {
            trainer.max_seconds = self.max_seconds;
        }
        trainer.validate()?;
        check::positive("training.context_gigabytes", self.context_gigabytes())?;
        Ok(trainer)
    }

    /// [`context_gigabytes`](Self::context_gigabytes) or its default.
    pub(super) fn context_gigabytes(&self) -> f64 {
        self.context_gigabytes.unwrap_or(8.0)
    }
}
