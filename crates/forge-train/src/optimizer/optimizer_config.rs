//! Optimisers as configured.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::parameter_groups::ParameterGroups;
use super::{AdamW, DecayRule, NamedOptimizer, PathPattern};
use crate::is_default::is_default;
use crate::schedule::{FactorConfig, Schedule, ScheduleConfig};

/// The optimiser: `{"name": "adam_w", "weight_decay": 0.01}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// [`AdamW`].
    AdamW(AdamWConfig),
}

/// AdamW's fields. The learning rate comes from the schedule.
///
/// Betas, epsilon and weight decay default to PyTorch's. What decays does not: there everything
/// does, here biases, norms, embeddings and tokens are exempt unless `decay_biases`, `no_decay` or
/// a group says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Memory of the gradient, in `[0, 1)`. Default 0.9.
    pub beta_1: f64,
    /// Memory of the squared gradient, in `[0, 1)`. Default 0.999.
    pub beta_2: f64,
    /// Added to the root of the second moment after bias correction. Above 0, default 1e-8.
    pub epsilon: f64,
    /// Decoupled weight decay. At least 0, default 0.01.
    pub weight_decay: f64,
    /// Factor on every decay over the run, those of groups included. Default constant.
    #[serde(skip_serializing_if = "is_default")]
    pub decay_schedule: FactorConfig,
    /// Decay parameters of rank 0 and 1 too (biases, scales). Default false.
    pub decay_biases: bool,
    /// Parameters that never decay: those where one of these words occurs in the parameter's
    /// name, in the field that holds it or in that field's type, whatever the case. Default:
    /// `norm`, `embed`, `token`, `position`, `cls`.
    pub no_decay: Vec<String>,
    /// Groups of parameters with settings of their own; the first that fits a parameter counts.
    /// Default: none.
    pub groups: Vec<AdamWGroup>,
}

/// Parameters that move at another rate or decay otherwise:
/// `{"match": ["tokenizer.*"], "rate": 0.1, "weight_decay": 0.0}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamWGroup {
    /// [Patterns](PathPattern) over the parameters' paths: one of them fits. At least one; a
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

impl Default for AdamWGroup {
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

impl Default for AdamWConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            decay_schedule: FactorConfig::Constant,
            decay_biases: false,
            no_decay: ["norm", "embed", "token", "position", "cls"]
                .map(String::from)
                .to_vec(),
            groups: vec![],
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::AdamW(AdamWConfig::default())
    }
}

impl OptimizerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let Self::AdamW(c) = self;
        check::probability("optimizer.beta_1", c.beta_1)?;
        check::probability("optimizer.beta_2", c.beta_2)?;
        check::positive("optimizer.epsilon", c.epsilon)?;
        not_negative("optimizer.weight_decay", c.weight_decay)?;
        c.decay_schedule.validate("optimizer.decay_schedule")?;
        if let Some(i) = c.no_decay.iter().position(String::is_empty) {
            let field = format!("optimizer.no_decay[{i}]");
            return Err(ForgeError::config(&field, "\"\"", "a word"));
        }
        for (i, group) in c.groups.iter().enumerate() {
            let field = |name: &str| format!("optimizer.groups[{i}].{name}");
            not_negative(&field("rate"), group.rate)?;
            if let Some(decay) = group.weight_decay {
                not_negative(&field("weight_decay"), decay)?;
            }
            if let Some(factor) = group.decay {
                not_negative(&field("decay"), factor)?;
                if group.weight_decay.is_some() {
                    let allowed = "absent where weight_decay is set";
                    return Err(ForgeError::config(&field("decay"), factor, allowed));
                }
            }
            if let Some(schedule) = &group.schedule {
                schedule.validate()?;
            }
            if group.patterns.is_empty() || group.patterns.iter().any(String::is_empty) {
                let found = format!("{:?}", group.patterns);
                let allowed = "at least one pattern, none of them empty";
                return Err(ForgeError::config(&field("match"), found, allowed));
            }
        }
        Ok(())
    }

    /// The optimiser, without state.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds.
    pub fn build(&self) -> Result<NamedOptimizer, ForgeError> {
        self.validate()?;
        Ok(NamedOptimizer::of_groups(self.groups(1.0)))
    }

    /// The groups, every decay times `factor`.
    pub(crate) fn groups(&self, factor: f64) -> ParameterGroups {
        let Self::AdamW(c) = self;
        let mut groups = ParameterGroups::new(
            AdamW::new(c, c.weight_decay * factor),
            AdamW::new(c, 0.0),
            DecayRule::new(c.decay_biases, &c.no_decay),
        );
        for group in &c.groups {
            let patterns = group.patterns.iter().map(PathPattern::new).collect();
            let decay = group.decay.map(|times| times * c.weight_decay);
            let decay = group.weight_decay.or(decay);
            let own = decay.map(|decay| AdamW::new(c, decay * factor));
            groups.push(patterns, group.optional, group.rate, own);
        }
        groups
    }

    /// The factor on all decays over a run.
    pub(crate) fn decay_schedule(&self) -> FactorConfig {
        let Self::AdamW(c) = self;
        c.decay_schedule
    }

    /// The schedules of groups that have one of their own, by position.
    pub(crate) fn group_schedules(&self, steps: u64) -> Result<Vec<Option<Schedule>>, ForgeError> {
        let Self::AdamW(c) = self;
        let schedules = c.groups.iter().map(|group| group.schedule.as_ref());
        let build = |schedule: &ScheduleConfig| schedule.build(steps);
        schedules.map(|s| s.map(build).transpose()).collect()
    }
}

fn not_negative(field: &str, value: f64) -> Result<(), ForgeError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, "finite and at least 0"))
    }
}
