//! Polyak–Ruppert averaging.

use burn::module::Module;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Averaging;
use super::running_mean::RunningMean;
use crate::checkpoint::{PartState, RunPart};
use crate::training::StepContext;

/// Which steps count how much in a Polyak average: `{"name": "tail", "start": 0.5}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolyakConfig {
    /// All steps of the run alike: `s_n = s_{n-1} + (θ_n - s_{n-1})/n` (Polyak and Juditsky 1992).
    Uniform {},
    /// The last steps alike, none before (Jain et al. 2018).
    Tail {
        /// Share of the run's steps that are left out, in `[0, 1)`. Default 0.5.
        #[serde(default = "half")]
        start: f64,
    },
    /// Later steps more: `s_n = s_{n-1} + (η + 1)/(n + η) (θ_n - s_{n-1})` (Shamir and Zhang 2013,
    /// section 4).
    PolynomialDecay {
        /// `η`, at least 0; 0 is the uniform average. Default 3.
        #[serde(default = "three")]
        eta: f64,
    },
}

fn half() -> f64 {
    0.5
}

fn three() -> f64 {
    3.0
}

impl Default for PolyakConfig {
    fn default() -> Self {
        Self::Tail { start: half() }
    }
}

impl PolyakConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        match *self {
            Self::Uniform {} => Ok(()),
            Self::Tail { start } => check::in_range("polyak.start", start, 0.0..1.0),
            Self::PolynomialDecay { eta } => check::in_range("polyak.eta", eta, 0.0..f64::INFINITY),
        }
    }

    /// Steps of the run that are left out.
    fn start(self, steps: u64) -> f64 {
        match self {
            Self::Tail { start } => start * steps as f64,
            _ => 0.0,
        }
    }

    /// What the average keeps when set `n` (from 1) is taken in.
    fn kept(self, n: u64) -> f64 {
        let n = n as f64;
        match self {
            Self::PolynomialDecay { eta } => (n - 1.0) / (n + eta),
            _ => (n - 1.0) / n,
        }
    }
}

/// The mean of the weights after every step: of all steps, of the last ones, or of all with more
/// weight on the later ones.
///
/// It differs from [`Swa`](super::Swa) in that it takes every step and needs no learning rate of
/// its own. Batch statistics are handled alike: not averaged, but computed anew before the average
/// is used.
#[derive(Debug)]
pub struct Polyak<M> {
    config: PolyakConfig,
    /// Steps of the run before the average starts.
    start: f64,
    mean: RunningMean<M>,
}

impl<M: Module> Polyak<M> {
    /// An average over a run of `steps` optimiser steps; `module` gives structure and device.
    ///
    /// # Errors
    /// What [`PolyakConfig::validate`] finds.
    pub fn new(config: PolyakConfig, steps: u64, module: &M) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            start: config.start(steps),
            config,
            mean: RunningMean::new(module),
        })
    }

    /// Sets of weights that are in the average.
    #[must_use]
    pub fn averaged(&self) -> u64 {
        self.mean.sets()
    }

    /// Takes a set of weights into the average, wherever the run is.
    ///
    /// # Errors
    /// A weights error if the module has other tensors than the one that the average began with.
    pub fn update(&mut self, module: &M) -> Result<(), ForgeError> {
        let kept = self.config.kept(self.mean.sets() + 1);
        self.mean.take_keeping(module, kept)
    }
}

impl<M: Module> RunPart for Polyak<M> {
    fn name(&self) -> &str {
        "polyak"
    }

    fn config(&self) -> Value {
        json!({"settings": self.config, "start_step": self.start})
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.mean.state(&())
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.mean.restore(state)
    }
}

impl<M: Module> Averaging<M> for Polyak<M> {
    fn on_step(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        // The step that was just made counts as done.
        if at.step as f64 + 1.0 <= self.start {
            return Ok(());
        }
        self.update(module)
    }

    fn candidate(&self) -> Option<M> {
        self.mean.module()
    }

    fn needs_statistics(&self) -> bool {
        true
    }
}
