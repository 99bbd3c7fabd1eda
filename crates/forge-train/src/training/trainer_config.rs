//! How to train, as configured.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::sampler::SamplerConfig;
use super::{EarlyStoppingConfig, OnDivergence};
use crate::averaging::{EmaConfig, PolyakConfig, SnapshotConfig, SoupConfig, SwaConfig};
use crate::is_default::is_default;
use crate::metric::{Score, Scores};
use crate::optimizer::{AdaptiveClip, OptimizerConfig, SamConfig};
use crate::precision::{LossScaleConfig, Precision};
use crate::schedule::{FactorConfig, ScheduleConfig};

/// More is a slip of the pen: every epoch leaves a record in each checkpoint.
const MOST_EPOCHS: usize = 1_000_000;

/// How to train: everything but the model, the data and the loss.
///
/// Absent fields take their defaults; unknown ones are an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainerConfig {
    /// Passes over the data. 1 to 1,000,000, default 100.
    pub epochs: usize,
    /// Rows per optimiser step. At least 1, default 256. A last batch of one row is joined to the
    /// one before it.
    pub batch_size: usize,
    /// Which rows go into which step. Default: all once per epoch, in random order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<SamplerConfig>,
    /// Parts that a batch is computed in, one after the other, to save memory. The gradient is
    /// that of the whole batch, except that batch normalisation sees one part at a time. At
    /// least 1, default 1.
    pub micro_batches: usize,
    /// Seed of the data order and of what is random in the module (dropout). Default 0.
    pub seed: u64,
    /// The optimiser. Default AdamW.
    pub optimizer: OptimizerConfig,
    /// The learning rate. Default: warm-up and cosine, peak 1e-3.
    pub schedule: ScheduleConfig,
    /// Factor on the rate of every [`Dropout`](forge_nn::regularisation::Dropout) of the module over
    /// the run. Default constant.
    #[serde(skip_serializing_if = "is_default")]
    pub dropout_schedule: FactorConfig,
    /// Keep a running average of the weights. What averages offer is what is validated and
    /// returned. Default: no.
    pub ema: Option<EmaConfig>,
    /// Average the weights of the last part of the run, all alike. With `ema` as well, both are
    /// validated and the better one is kept. Batch statistics are computed anew before each
    /// validation, by a pass over the training rows. Default: no.
    pub swa: Option<SwaConfig>,
    /// Average the weights of all steps, or of the last ones (Polyak averaging). Batch statistics
    /// as with `swa`. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polyak: Option<PolyakConfig>,
    /// A snapshot ensemble: the run goes in cycles, of which the ends predict together if that is
    /// better than the best single weights. The learning rate is then a cosine down to 0 per
    /// cycle, with the peak of `schedule`. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<SnapshotConfig>,
    /// Make a greedy soup of the weights of the last epochs, by validation, at the end of the run.
    /// Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soup: Option<SoupConfig>,
    /// In which type losses and gradients are computed; weights, averages and validation stay in
    /// f32. Half precision needs a device that is faster in it. Default f32.
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// How the loss is scaled with `precision = "f16"`, which always does it. Absent: PyTorch's
    /// numbers. An error with another precision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScaleConfig>,
    /// Keep only the inputs of a backbone's blocks for the backward pass, and compute the blocks
    /// again there: less memory for about a third more time. Gradients are the same but for
    /// rounding. Does nothing to models without blocks. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub gradient_checkpointing: bool,
    /// Leave out steps whose loss or gradients are not finite, instead of ending the run. Reads
    /// back from the device at every step, which a GPU waits for. Default false.
    pub skip_non_finite: bool,
    /// Largest element of a gradient; larger ones are cut off. Above 0. Before `clip_norm`.
    /// Default: no clipping.
    pub clip_value: Option<f64>,
    /// Longest gradient, over all parameters together; longer ones are scaled down. Above 0.
    /// Default: no clipping.
    pub clip_norm: Option<f64>,
    /// Shorten gradients that are long beside the weights they move. After `clip_norm`. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_adaptive: Option<AdaptiveClip>,
    /// Take gradients where the loss is worst nearby (sharpness-aware minimisation); a step then
    /// costs two. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sam: Option<SamConfig>,
    /// What happens when a loss, a validation score or a weight is not finite. Default: the run
    /// stops.
    #[serde(skip_serializing_if = "is_default")]
    pub on_divergence: OnDivergence,
    /// Epochs from one validation to the next; the last epoch is always validated. At least 1,
    /// default 1.
    pub validate_every: usize,
    /// The score by which the best epoch is kept and `early_stopping` decides, such as `accuracy`.
    /// Default: the first that the task gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select_by: Option<String>,
    /// Of epochs that are equally good, keep the last rather than the first. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub keep_last_of_equal: bool,
    /// End when validation stops improving. Default: no.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// Wall-clock seconds after which the run ends, those of earlier sessions included. Above 0.
    /// Default: none. **A run that a budget ends is not reproducible**: how far it gets depends
    /// on the machine.
    pub max_seconds: Option<f64>,
    /// When to write checkpoints, if the trainer was given a folder.
    pub checkpoint: CheckpointConfig,
    /// Steps from one reading of the loss to the next. Reading waits for the device, which costs
    /// nothing on a CPU and stalls a GPU; a loss that is not finite is found at the next reading.
    /// At least 1. Default: 1 on `flex` and `ndarray`, else 32. The result does not depend on it.
    pub read_loss_every: Option<usize>,
}

/// When to write checkpoints, and how many to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Optimiser steps from one to the next. At least 1. Default: none within an epoch.
    pub every_steps: Option<u64>,
    /// Epochs from one to the next. At least 1. Default 1.
    pub every_epochs: Option<usize>,
    /// How many to keep, the newest. At least 1, default 2: if the newest is damaged, the one
    /// before it is read.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            every_steps: None,
            every_epochs: Some(1),
            keep: 2,
        }
    }
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            epochs: 100,
            batch_size: 256,
            sampler: None,
            micro_batches: 1,
            seed: 0,
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            dropout_schedule: FactorConfig::Constant,
            ema: None,
            swa: None,
            polyak: None,
            snapshots: None,
            soup: None,
            precision: Precision::F32,
            loss_scale: None,
            gradient_checkpointing: false,
            skip_non_finite: false,
            clip_value: None,
            clip_norm: None,
            clip_adaptive: None,
            sam: None,
            on_divergence: OnDivergence::Stop,
            validate_every: 1,
            select_by: None,
            keep_last_of_equal: false,
            early_stopping: None,
            max_seconds: None,
            checkpoint: CheckpointConfig::default(),
            read_loss_every: None,
        }
    }
}

impl TrainerConfig {
    /// The score of `scores` that decides.
    ///
    /// # Errors
    /// A config error if `select_by` names none of them.
    pub(super) fn deciding<'s>(&self, scores: &'s Scores) -> Result<Option<&'s Score>, ForgeError> {
        let Some(name) = &self.select_by else {
            return Ok(scores.deciding());
        };
        let found = scores.find(name);
        if found.is_none() && !scores.is_empty() {
            let names: Vec<&str> = scores.iter().map(|score| score.name.as_str()).collect();
            let allowed = format!("one of {}", names.join(", "));
            return Err(ForgeError::config("select_by", name, allowed));
        }
        Ok(found)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the first bad field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("epochs", self.epochs, 1..=MOST_EPOCHS)?;
        check::at_least_one("batch_size", self.batch_size)?;
        check::at_least_one("micro_batches", self.micro_batches)?;
        if let Some(sampler) = &self.sampler {
            sampler.validate()?;
        }
        self.optimizer.validate()?;
        self.schedule.validate()?;
        self.dropout_schedule.validate("dropout_schedule")?;
        if let Some(ema) = &self.ema {
            ema.validate()?;
        }
        if let Some(swa) = &self.swa {
            swa.validate()?;
        }
        if let Some(polyak) = &self.polyak {
            polyak.validate()?;
        }
        if let Some(snapshots) = &self.snapshots {
            snapshots.validate()?;
        }
        if let Some(soup) = &self.soup {
            soup.validate()?;
        }
        if let Some(loss_scale) = &self.loss_scale {
            loss_scale.validate()?;
            if self.precision != Precision::F16 {
                let allowed = "absent: only f16 needs it";
                return Err(ForgeError::config("loss_scale", "set", allowed));
            }
        }
        if let Some(bound) = self.clip_value {
            check::positive("clip_value", bound)?;
        }
        if let Some(norm) = self.clip_norm {
            check::positive("clip_norm", norm)?;
        }
        if let Some(clip) = &self.clip_adaptive {
            clip.validate()?;
        }
        if let Some(sam) = &self.sam {
            sam.validate()?;
        }
        self.on_divergence.validate()?;
        check::at_least_one("validate_every", self.validate_every)?;
        if let Some(early) = &self.early_stopping {
            early.validate()?;
        }
        if let Some(seconds) = self.max_seconds {
            check::positive("max_seconds", seconds)?;
        }
        if let Some(steps) = self.checkpoint.every_steps {
            check::in_range("checkpoint.every_steps", steps, 1..)?;
        }
        if let Some(epochs) = self.checkpoint.every_epochs {
            check::at_least_one("checkpoint.every_epochs", epochs)?;
        }
        check::at_least_one("checkpoint.keep", self.checkpoint.keep)?;
        if let Some(steps) = self.read_loss_every {
            check::at_least_one("read_loss_every", steps)?;
        }
        Ok(())
    }
}
