//! Stochastic weight averaging.

use burn::module::Module;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Averaging;
use super::running_mean::RunningMean;
use crate::checkpoint::{PartState, RunPart};
use crate::training::StepContext;

/// When weights are taken into the average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwaConfig {
    /// Share of the run's optimiser steps after which averaging starts, in `[0, 1)`. Default
    /// 0.75, as in the paper.
    pub start: f64,
    /// Steps or epochs from one set of weights to the next. At least 1, default 1.
    pub every: u64,
    /// What `every` counts. Default epochs, as in the paper.
    pub unit: SwaUnit,
}

/// What [`SwaConfig::every`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwaUnit {
    /// Optimiser steps.
    Steps,
    /// Epochs, at their end.
    #[default]
    Epochs,
}

impl Default for SwaConfig {
    fn default() -> Self {
        Self {
            start: 0.75,
            every: 1,
            unit: SwaUnit::Epochs,
        }
    }
}

impl SwaConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("swa.start", self.start, 0.0..1.0)?;
        check::in_range("swa.every", self.every, 1..)
    }
}

/// The mean of the weights at equal intervals in the last part of a run, all with the same
/// weight: `s ← s + (θ - s)/(n + 1)` for the `n+1`-th set (Izmailov et al. 2018, algorithm 1;
/// PyTorch's `AveragedModel`).
///
/// Buffers (batch statistics) and frozen parameters are not averaged but copied from the newest
/// set. Batch statistics of the average are computed anew before it is used, see
/// [`needs_statistics`](Averaging::needs_statistics). The paper's high constant learning rate is
/// the schedule's business.
#[derive(Debug)]
pub struct Swa<M> {
    config: SwaConfig,
    /// Steps of the run before the average starts.
    start: f64,
    /// Steps or epochs since the start.
    heard: u64,
    mean: RunningMean<M>,
}

impl<M: Module> Swa<M> {
    /// An average over a run of `steps` optimiser steps; `module` gives structure and device.
    ///
    /// # Errors
    /// What [`SwaConfig::validate`] finds.
    pub fn new(config: SwaConfig, steps: u64, module: &M) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            start: config.start * steps as f64,
            config,
            heard: 0,
            mean: RunningMean::new(module),
        })
    }

    /// Sets of weights that are in the average.
    #[must_use]
    pub fn averaged(&self) -> u64 {
        self.mean.sets()
    }

    /// The first step (from 0) after which weights are taken in: where a learning rate for it
    /// (PyTorch's `SWALR`) starts.
    #[must_use]
    pub fn start_step(&self) -> u64 {
        self.start.floor() as u64
    }

    /// Takes a set of weights into the average, whatever the interval.
    ///
    /// # Errors
    /// A weights error if the module has other tensors than the one that the average began with.
    pub fn update(&mut self, module: &M) -> Result<(), ForgeError> {
        self.mean.take(module)
    }

    fn hear(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        // The step that was just made counts as done.
        if at.step as f64 + 1.0 <= self.start {
            return Ok(());
        }
        if self.heard.is_multiple_of(self.config.every) {
            self.update(module)?;
        }
        self.heard += 1;
        Ok(())
    }
}

impl<M: Module> RunPart for Swa<M> {
    fn name(&self) -> &str {
        "swa"
    }

    fn config(&self) -> Value {
        json!({"settings": self.config, "start_step": self.start})
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.mean.state(&self.heard)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.heard = self.mean.restore(state)?;
        Ok(())
    }
}

impl<M: Module> Averaging<M> for Swa<M> {
    fn on_step(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        match self.config.unit {
            SwaUnit::Steps => self.hear(module, at),
            SwaUnit::Epochs => Ok(()),
        }
    }

    fn on_epoch(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        match self.config.unit {
            SwaUnit::Epochs => self.hear(module, at),
            SwaUnit::Steps => Ok(()),
        }
    }

    fn candidate(&self) -> Option<M> {
        self.mean.module()
    }

    fn needs_statistics(&self) -> bool {
        true
    }
}
