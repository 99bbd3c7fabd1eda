//! When validation stops improving.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::checkpoint::{PartState, RunPart};
use crate::metric::Direction;

/// Ends a run whose validation score no longer improves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStoppingConfig {
    /// Validations in a row without improvement that end the run. At least 1, default 16.
    pub patience: usize,
    /// What counts as improvement: a score better than the best by more than this, in the score's
    /// units. At least 0, default 0.
    pub min_delta: f64,
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        Self {
            patience: 16,
            min_delta: 0.0,
        }
    }
}

impl EarlyStoppingConfig {
    /// Checks both fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("early_stopping.patience", self.patience)?;
        if self.min_delta.is_finite() && self.min_delta >= 0.0 {
            Ok(())
        } else {
            let allowed = "finite and at least 0";
            Err(ForgeError::config(
                "early_stopping.min_delta",
                self.min_delta,
                allowed,
            ))
        }
    }
}

/// Early stopping in a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EarlyStopping {
    config: EarlyStoppingConfig,
    memory: Memory,
}

/// What it remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    /// The score that has to be beaten.
    best: Option<f64>,
    /// Validations since it was reached.
    waited: usize,
}

impl EarlyStopping {
    pub(crate) fn new(config: EarlyStoppingConfig) -> Self {
        let memory = Memory::default();
        Self { config, memory }
    }

    /// Takes in the score of one validation.
    pub(crate) fn take_in(&mut self, score: f64, direction: Direction) {
        let improves = self
            .memory
            .best
            .is_none_or(|best| direction.improves(score, best, self.config.min_delta));
        if improves {
            self.memory.best = Some(score);
            self.memory.waited = 0;
        } else {
            self.memory.waited += 1;
        }
    }

    /// Whether the run should end.
    pub(crate) fn is_over(&self) -> bool {
        self.memory.waited >= self.config.patience
    }
}

impl RunPart for EarlyStopping {
    fn name(&self) -> &str {
        "early_stopping"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.memory)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.memory = state.into_json()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_after(direction: Direction, scores: &[f64]) -> Vec<bool> {
        let config = EarlyStoppingConfig {
            patience: 2,
            min_delta: 0.1,
        };
        let mut early = EarlyStopping::new(config);
        let mut hear = |score: &f64| {
            early.take_in(*score, direction);
            early.is_over()
        };
        scores.iter().map(&mut hear).collect()
    }

    #[test]
    fn waits_for_patience_and_counts_small_steps_as_none() {
        // 0.85 improves on 1.0 by more than min_delta only together with the step before.
        let scores = [1.0, 0.95, 0.85, 0.80, 0.76];
        let expected = [false, false, false, false, true];
        assert_eq!(over_after(Direction::Minimize, &scores), expected);
        let mirrored = scores.map(|s| -s);
        assert_eq!(over_after(Direction::Maximize, &mirrored), expected);
    }
}
