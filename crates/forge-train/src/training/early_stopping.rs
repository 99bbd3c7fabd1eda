//! When validation stops improving.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// Ends a run whose validation score no longer improves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStoppingConfig {
    /// Validations in a row without improvement that end the run. At least 1, default 16.
    pub patience: usize,
    /// What counts as improvement: a score below the best by more than this, in the score's
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

/// What early stopping remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EarlyStopping {
    /// The score that has to be beaten.
    best: Option<f64>,
    /// Validations since it was reached.
    waited: usize,
}

impl EarlyStopping {
    /// Takes in a score; true when the run should end.
    pub(crate) fn hears(&mut self, config: &EarlyStoppingConfig, score: f64) -> bool {
        match self.best {
            Some(best) if score >= best - config.min_delta => self.waited += 1,
            _ => {
                self.best = Some(score);
                self.waited = 0;
            }
        }
        self.waited >= config.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_patience_and_counts_small_steps_as_none() {
        let config = EarlyStoppingConfig {
            patience: 2,
            min_delta: 0.1,
        };
        let mut state = EarlyStopping::default();
        assert!(!state.hears(&config, 1.0));
        assert!(!state.hears(&config, 0.95));
        // Improves on 1.0 by more than min_delta only together with the step before.
        assert!(!state.hears(&config, 0.85));
        assert!(!state.hears(&config, 0.80));
        assert!(state.hears(&config, 0.76));
    }
}
