//! What to do about a run that diverges.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::checkpoint::{PartState, RunPart};

/// What happens when a loss, a validation score or a weight is not finite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDivergence {
    /// The run ends with an error that names step and tensor; its checkpoints stay.
    #[default]
    Stop,
    /// It goes on from its last checkpoint at lower rates, and if it diverges from there again, from
    /// the one before. Needs a folder of checkpoints.
    Rollback(Rollback),
}

/// How often to go back, and at which rates to go on: `{"rollback": {"factor": 0.5, "most": 3}}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rollback {
    /// Times all learning rates, at every time. In `(0, 1)`, default 0.5.
    pub factor: f64,
    /// How often; the next divergence ends the run. At least 1, default 3.
    pub most: u32,
}

impl Default for Rollback {
    fn default() -> Self {
        Self {
            factor: 0.5,
            most: 3,
        }
    }
}

impl OnDivergence {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let Self::Rollback(rollback) = self else {
            return Ok(());
        };
        let factor = rollback.factor;
        if !(factor > 0.0 && factor < 1.0) {
            let field = "on_divergence.rollback.factor";
            return Err(ForgeError::config(field, factor, "in (0, 1)"));
        }
        check::in_range("on_divergence.rollback.most", rollback.most, 1..)
    }
}

/// [`Rollback`] in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rollbacks {
    config: Rollback,
    done: u32,
}

impl Rollbacks {
    pub(crate) fn new(config: OnDivergence) -> Option<Self> {
        match config {
            OnDivergence::Stop => None,
            OnDivergence::Rollback(config) => Some(Self { config, done: 0 }),
        }
    }

    /// The next one, if there is to be one.
    pub(crate) fn next(self) -> Option<Self> {
        let done = self.done + 1;
        (done <= self.config.most).then_some(Self { done, ..self })
    }

    /// What all rates are multiplied by.
    pub(crate) fn factor(&self) -> f64 {
        self.config.factor.powf(f64::from(self.done))
    }

    pub(crate) fn done(&self) -> u32 {
        self.done
    }
}

impl RunPart for Rollbacks {
    fn name(&self) -> &str {
        "rollbacks"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.done)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.done = state.into_json()?;
        Ok(())
    }
}
