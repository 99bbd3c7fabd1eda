//! A rate that falls when validation stands still.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::curve::{Curve, base_and_min};
use crate::checkpoint::{PartState, RunPart};
use crate::metric::Direction;

/// The rate is multiplied by `factor` after more than `patience` validations in a row without a
/// better score (PyTorch's `ReduceLROnPlateau`). The score is the one that decides of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// The first rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The last rate, in `0..=base_lr`. Default 0.
    pub min_lr: f64,
    /// In `(0, 1)`, default 0.1.
    pub factor: f64,
    /// Validations without a better score that are let pass. Default 10.
    pub patience: u64,
    /// How much better a score has to be to count. At least 0, default 1e-4.
    pub threshold: f64,
    /// What the threshold is a part of. Default: of the best score.
    pub threshold_mode: Threshold,
    /// Validations after a fall that do not count. Default 0.
    pub cooldown: u64,
    /// Which way is better. Absent: as the score says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<PlateauMode>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMode {
    /// Less.
    Min,
    /// More.
    Max,
}

/// What [`ReduceOnPlateau::threshold`] is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// A share of the best score.
    #[default]
    Rel,
    /// The score's own unit.
    Abs,
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            min_lr: 0.0,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: Threshold::Rel,
            cooldown: 0,
            mode: None,
        }
    }
}

impl Curve for ReduceOnPlateau {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_min(self.base_lr, self.min_lr)?;
        if !(self.factor > 0.0 && self.factor < 1.0) {
            return Err(ForgeError::config(
                "schedule.factor",
                self.factor,
                "in (0, 1)",
            ));
        }
        check::in_range("schedule.threshold", self.threshold, 0.0..=f64::MAX)
    }

    /// Before any score.
    fn lr(&self, _: u64) -> f64 {
        self.base_lr
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        (self.min_lr, self.base_lr) = (self.min_lr * (peak / self.base_lr), peak);
    }
}

/// Falls smaller than this are none, as in PyTorch.
const LEAST_FALL: f64 = 1e-8;

/// [`ReduceOnPlateau`] in a run: it is told scores and gives the rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Plateau {
    config: ReduceOnPlateau,
    memory: Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    lr: f64,
    best: Option<f64>,
    bad: u64,
    cooling: u64,
}

impl Plateau {
    /// Before any score.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn new(config: ReduceOnPlateau) -> Result<Self, ForgeError> {
        config.validate()?;
        let memory = Memory {
            lr: config.base_lr,
            best: None,
            bad: 0,
            cooling: 0,
        };
        Ok(Self { config, memory })
    }

    /// The present rate.
    #[must_use]
    pub fn lr(&self) -> f64 {
        self.memory.lr
    }

    /// Validations in a row that were not better.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.memory.bad
    }

    /// Takes in the score of one validation, of which `direction` says which way is better unless
    /// the config does.
    pub fn take_in(&mut self, score: f64, direction: Direction) {
        let ReduceOnPlateau { threshold, .. } = self.config;
        let minimise = match self.config.mode {
            Some(mode) => mode == PlateauMode::Min,
            None => direction == Direction::Minimize,
        };
        // By how much, of a score below 0 too: a part of its size.
        let margin = |by: Threshold, best: f64| match by {
            Threshold::Rel => threshold * best.abs(),
            Threshold::Abs => threshold,
        };
        let improves = |best: f64| match (self.config.threshold_mode, minimise) {
            (by, true) => score < best - margin(by, best),
            (by, false) => score > best + margin(by, best),
        };
        let better = self.memory.best.is_none_or(improves);
        let memory = &mut self.memory;
        if better {
            memory.best = Some(score);
            memory.bad = 0;
        } else {
            memory.bad += 1;
        }
        if memory.cooling > 0 {
            memory.cooling -= 1;
            memory.bad = 0;
        }
        if memory.bad > self.config.patience {
            let next = (memory.lr * self.config.factor).max(self.config.min_lr);
            if memory.lr - next > LEAST_FALL {
                memory.lr = next;
            }
            memory.cooling = self.config.cooldown;
            memory.bad = 0;
        }
    }
}

impl RunPart for Plateau {
    fn name(&self) -> &str {
        "reduce_on_plateau"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.memory)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let memory: Memory = state.into_json()?;
        check::in_range("lr", memory.lr, 0.0..=self.config.base_lr)
            .map_err(|e| ForgeError::weights(e.reason()))?;
        self.memory = memory;
        Ok(())
    }
}
