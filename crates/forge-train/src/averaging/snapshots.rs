//! Snapshot ensembles.

use burn::module::Module;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::members::Newest;
use super::{Averaging, Members, Together};
use crate::checkpoint::{PartState, RunPart};
use crate::schedule::{CosineCycles, ScheduleConfig};
use crate::training::StepContext;

/// More is a slip of the pen: each is a whole set of weights in memory and in each checkpoint.
const MOST: usize = 100;

/// A snapshot ensemble: how many cycles the run has, and how many of their ends predict.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotConfig {
    /// Cycles of the run (the paper's `M`), whose lengths differ by one step at most. 2 to 100, default 5.
    pub cycles: usize,
    /// How many of the newest predict together (the paper's `m`). 2 to `cycles`. Default: all.
    pub keep: Option<usize>,
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self {
            cycles: 5,
            keep: None,
        }
    }
}

impl SnapshotConfig {
    /// Checks both fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("snapshots.cycles", self.cycles, 2..=MOST)?;
        match self.keep {
            Some(keep) => check::in_range("snapshots.keep", keep, 2..=self.cycles),
            None => Ok(()),
        }
    }

    /// How many of `steps` steps are done at the end of each cycle: `⌈k · steps / cycles⌉`.
    ///
    /// # Errors
    /// A config error if there are fewer steps than cycles.
    pub fn ends(&self, steps: u64) -> Result<Vec<u64>, ForgeError> {
        let cycles = self.cycles as u64;
        if steps < cycles {
            let allowed = format!("at most the {steps} optimiser steps of the run");
            return Err(ForgeError::config("snapshots.cycles", cycles, allowed));
        }
        let end = |k: u128| (u128::from(steps) * k).div_ceil(u128::from(cycles));
        let ends = (1..=u128::from(cycles)).map(end);
        Ok(ends.map(|end| end as u64).collect())
    }

    /// The learning rate that belongs to it, with the peak of `schedule`: a cosine down to 0 per
    /// cycle (Huang et al. 2017, eq. 2).
    ///
    /// # Errors
    /// As [`ends`](Self::ends).
    pub fn schedule(
        &self,
        schedule: &ScheduleConfig,
        steps: u64,
    ) -> Result<ScheduleConfig, ForgeError> {
        self.ends(steps)?;
        Ok(ScheduleConfig::CosineCycles(CosineCycles {
            base_lr: schedule.peak_lr(),
            min_lr: 0.0,
            cycles: self.cycles as u64,
            steps: Some(steps),
        }))
    }
}

/// The weights at the end of each cycle of a learning rate that falls to 0 and restarts; their
/// predictions are averaged (Huang et al. 2017).
///
/// Each set is kept with the batch statistics that it was trained with, so nothing has to be
/// computed anew.
#[derive(Debug)]
pub struct Snapshots<M> {
    config: SnapshotConfig,
    ends: Vec<u64>,
    newest: Newest<M>,
}

impl<M: Module> Snapshots<M> {
    /// For a run of `steps` optimiser steps; `module` gives structure and device.
    ///
    /// # Errors
    /// What [`SnapshotConfig::validate`] and [`SnapshotConfig::ends`] find.
    pub fn new(config: SnapshotConfig, steps: u64, module: &M) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            ends: config.ends(steps)?,
            newest: Newest::new(config.keep.unwrap_or(config.cycles), module),
            config,
        })
    }

    /// Keeps a set of weights, wherever the run is.
    pub fn keep(&mut self, module: &M) {
        self.newest.keep(module);
    }

    /// The sets that are kept, the oldest first.
    #[must_use]
    pub fn modules(&self) -> Vec<M> {
        self.newest.modules()
    }
}

impl<M: Module> RunPart for Snapshots<M> {
    fn name(&self) -> &str {
        "snapshots"
    }

    fn config(&self) -> Value {
        json!({"settings": self.config, "ends": self.ends})
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.newest.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.newest.restore(state)
    }
}

impl<M: Module> Averaging<M> for Snapshots<M> {
    fn on_step(&mut self, module: &M, at: &StepContext<'_>) -> Result<(), ForgeError> {
        if self.ends.contains(&(at.step + 1)) {
            self.keep(module);
        }
        Ok(())
    }

    fn candidate(&self) -> Option<M> {
        None
    }

    fn members(&self) -> Option<Members<M>> {
        Some(Members {
            together: Together::Ensemble,
            modules: self.modules(),
        })
    }
}
