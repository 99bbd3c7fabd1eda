//! A rate that follows a factor.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::FactorConfig;
use super::curve::{Curve, some_steps};

/// `base_lr` times a [`FactorConfig`] over the progress of the run:
/// `{"name": "factor", "base_lr": 0.04, "factor": {"name": "cos_log"}}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorSchedule {
    /// The highest rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The factor. Default constant.
    pub factor: FactorConfig,
    /// Absent: the steps of the run. At least 1.
    pub total_steps: Option<u64>,
}

impl Default for FactorSchedule {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            factor: FactorConfig::Constant,
            total_steps: None,
        }
    }
}

impl Curve for FactorSchedule {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("schedule.base_lr", self.base_lr)?;
        some_steps("schedule.total_steps", self.total_steps)?;
        self.factor.validate("schedule.factor")
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.total_steps.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        self.base_lr * self.factor.at(step, self.total_steps.unwrap_or(1))
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        self.base_lr = peak;
    }
}
