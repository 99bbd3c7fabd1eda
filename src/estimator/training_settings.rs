//! How to train, where it differs from the preset.

use forge_data::AugmentationConfig;
use forge_nn::{ForgeError, check};
use forge_train::TrainerConfig;
use forge_train::averaging::{PolyakConfig, SnapshotConfig, SoupConfig, SwaConfig};
use forge_train::precision::Precision;
use forge_train::sampler::SamplerConfig;
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
    /// Which rows go into which step.
    pub sampler: Option<SamplerConfig>,
    /// What is done to the rows of a step: mixup, cutmix, hidden cells, noise.
    pub augmentation: Option<AugmentationConfig>,
    /// Parts that a batch is computed in, at least 1.
    pub micro_batches: Option<usize>,
    /// Highest learning rate, above 0, whatever the schedule.
    pub learning_rate: Option<f64>,
    /// Weight decay, at least 0, as the optimiser has it: decoupled for AdamW.
    pub weight_decay: Option<f64>,
    /// Longest gradient, above 0.
    pub clip_norm: Option<f64>,
    /// In which type losses and gradients are computed: `"f32"`, or on GPUs `"bf16"`, `"f16"`.
    pub precision: Option<Precision>,
    /// Compute the blocks of a backbone again in the backward pass, to save memory.
    pub gradient_checkpointing: Option<bool>,
    /// Whether to keep a running average (EMA) of the weights.
    pub ema: Option<bool>,
    /// Stochastic weight averaging over the last part of the run.
    pub swa: Option<SwaConfig>,
    /// Polyak averaging: the mean of the weights of all steps, or of the last ones.
    pub polyak: Option<PolyakConfig>,
    /// A snapshot ensemble: the run goes in cycles of the learning rate, of which the ends predict
    /// together. Replaces the preset's early stopping, unless `patience` is given.
    pub snapshots: Option<SnapshotConfig>,
    /// A greedy soup of the weights of the last epochs.
    pub soup: Option<SoupConfig>,
    /// Epochs without improvement that end the run, at least 1. Absent: the preset's, and in larger
    /// batches so many epochs that no fewer steps are waited for.
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
    /// `base` with these changes, for so many training rows (or windows).
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub(crate) fn apply(
        &self,
        base: TrainerConfig,
        rows: usize,
    ) -> Result<TrainerConfig, ForgeError> {
        let mut trainer = self.config.clone().unwrap_or(base);
        trainer.seed = self.seed;
        if let Some(epochs) = self.epochs {
            trainer.epochs = epochs;
        }
        if let Some(batch_size) = self.batch_size {
            let before = std::mem::replace(&mut trainer.batch_size, batch_size);
            // Some models stand still for a hundred steps before they learn: an epoch of fewer steps must
            // not end them there.
            if let (Some(stopping), None) = (&mut trainer.early_stopping, &self.config) {
                let steps = |batch: usize| rows.div_ceil(batch.max(1)).max(1);
                let waited = stopping.patience.saturating_mul(steps(before));
                stopping.patience = stopping.patience.max(waited.div_ceil(steps(batch_size)));
            }
        }
        if self.sampler.is_some() {
            trainer.sampler.clone_from(&self.sampler);
        }
        if let Some(parts) = self.micro_batches {
            trainer.micro_batches = parts;
        }
        if let Some(rate) = self.learning_rate {
            trainer.schedule = trainer.schedule.with_peak_lr(rate);
        }
        if let Some(decay) = self.weight_decay {
            // None has lbfgs alone, which `validate` refuses.
            if let Some(of_optimizer) = trainer.optimizer.weight_decay_mut() {
                *of_optimizer = decay;
            }
        }
        if self.clip_norm.is_some() {
            trainer.clip_norm = self.clip_norm;
        }
        if let Some(precision) = self.precision {
            trainer.precision = precision;
        }
        if let Some(on) = self.gradient_checkpointing {
            trainer.gradient_checkpointing = on;
        }
        match self.ema {
            Some(false) => trainer.ema = None,
            Some(true) if trainer.ema.is_none() => trainer.ema = Some(Default::default()),
            _ => {}
        }
        if self.swa.is_some() {
            trainer.swa.clone_from(&self.swa);
        }
        if self.polyak.is_some() {
            trainer.polyak = self.polyak;
        }
        if self.snapshots.is_some() {
            trainer.snapshots = self.snapshots;
            // A restart is worse before it is better, which the preset's patience does not know of.
            if self.config.is_none() {
                trainer.early_stopping = None;
            }
        }
        if self.soup.is_some() {
            trainer.soup = self.soup;
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

    /// The column that the sampler goes by, if it goes by one.
    #[cfg(feature = "experiment")]
    pub(crate) fn sampler_column(&self) -> Option<&str> {
        use forge_train::sampler::KeyOf;
        let config = self
            .config
            .as_ref()
            .and_then(|config| config.sampler.as_ref());
        match self.sampler.as_ref().or(config)?.key()? {
            KeyOf::Column(name) => Some(name),
            KeyOf::Target | KeyOf::Weight => None,
        }
    }

    /// [`context_gigabytes`](Self::context_gigabytes) or its default.
    pub(super) fn context_gigabytes(&self) -> f64 {
        self.context_gigabytes.unwrap_or(8.0)
    }
}
