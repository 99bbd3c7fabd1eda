//! Parameters with settings of their own.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::shared_settings::not_negative;
use crate::is_default::is_default;
use crate::schedule::ScheduleConfig;

/// Parameters that move at another rate or decay otherwise:
/// `{"match": ["tokenizer.*"], "rate": 0.1, "weight_decay": 0.0}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerGroup {
    /// [Patterns](super::PathPattern) over the parameters' paths: one of them fits. At least one; a
    /// pattern that fits no parameter is an error when a run begins.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
    /// Whether its patterns may fit no parameter: of a part that only some tables bring, say.
    /// Default false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// Times the schedule's learning rate. At least 0, default 1.
    #[serde(default = "whole_rate")]
    pub rate: f64,
    /// The learning rate that `rate` multiplies. Default: that of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleConfig>,
    /// The decay of all parameters of the group, biases and norms included. At least 0. Default:
    /// none of its own, so that the optimiser's decay and exemptions hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// The same as a factor of the optimiser's `weight_decay`, which it then follows. At least 0;
    /// not beside `weight_decay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
}

fn whole_rate() -> f64 {
    1.0
}

impl Default for OptimizerGroup {
    fn default() -> Self {
        Self {
            patterns: vec![],
            optional: false,
            rate: whole_rate(),
            schedule: None,
            weight_decay: None,
            decay: None,
        }
    }
}

impl OptimizerGroup {
    /// Checks the fields, which are those of `place`.
    pub(super) fn validate(&self, place: &str) -> Result<(), ForgeError> {
        let field = |name: &str| format!("{place}.{name}");
        not_negative(&field("rate"), self.rate)?;
        if let Some(decay) = self.weight_decay {
            not_negative(&field("weight_decay"), decay)?;
        }
        if let Some(factor) = self.decay {
            not_negative(&field("decay"), factor)?;
            if self.weight_decay.is_some() {
                let allowed = "absent where weight_decay is set";
                return Err(ForgeError::config(&field("decay"), factor, allowed));
            }
        }
        if let Some(schedule) = &self.schedule {
            schedule.validate()?;
            if schedule.follows_scores() {
                let allowed = "a schedule that follows steps: only that of the run follows scores";
                return Err(ForgeError::config(
                    &field("schedule"),
                    "reduce_on_plateau",
                    allowed,
                ));
            }
        }
        if self.patterns.is_empty() || self.patterns.iter().any(String::is_empty) {
            let found = format!("{:?}", self.patterns);
            let allowed = "at least one pattern, none of them empty";
            return Err(ForgeError::config(&field("match"), found, allowed));
        }
        Ok(())
    }

    /// Its decay, where it has one of its own.
    pub(super) fn own_decay(&self, of_optimizer: f64) -> Option<f64> {
        let times = self.decay.map(|times| times * of_optimizer);
        self.weight_decay.or(times)
    }
}
