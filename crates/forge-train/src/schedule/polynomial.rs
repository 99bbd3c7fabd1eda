//! A power of what is left.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, base_and_min, some_steps};

/// `min + (base - min)(1 - min(step, N)/N)^power` (PyTorch's `PolynomialLR`, which has `min` 0).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// The first rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The last rate, in `0..=base_lr`. Default 0.
    pub min_lr: f64,
    /// Above 0, default 1 (a straight line).
    pub power: f64,
    /// `N`. Absent: the steps of the run. At least 1.
    pub total_steps: Option<u64>,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            min_lr: 0.0,
            power: 1.0,
            total_steps: None,
        }
    }
}

impl Curve for Polynomial {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_min(self.base_lr, self.min_lr)?;
        check::positive("schedule.power", self.power)?;
        some_steps("schedule.total_steps", self.total_steps)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.total_steps.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let total = self.total_steps.unwrap_or(1).max(1) as f64;
        let left = 1.0 - (step as f64 / total).min(1.0);
        self.min_lr + (self.base_lr - self.min_lr) * left.powf(self.power)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        (self.min_lr, self.base_lr) = (self.min_lr * (peak / self.base_lr), peak);
    }
}
