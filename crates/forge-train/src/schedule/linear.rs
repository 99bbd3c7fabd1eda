//! A straight line.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, some_steps};

/// `base_lr` times a factor that goes from `start_factor` to `end_factor` in `total_steps` steps, and
/// stays there (PyTorch's `LinearLR`). As the first part of a [`Sequential`](super::Sequential): a
/// warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    /// The rate where the factor is 1. Above 0, default 1e-3.
    pub base_lr: f64,
    /// In `(0, 1]`, default ⅓.
    pub start_factor: f64,
    /// In `[0, 1]`, default 1.
    pub end_factor: f64,
    /// Absent: the steps of the run. At least 1.
    pub total_steps: Option<u64>,
}

impl Default for Linear {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            start_factor: 1.0 / 3.0,
            end_factor: 1.0,
            total_steps: None,
        }
    }
}

impl Curve for Linear {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("schedule.base_lr", self.base_lr)?;
        super::curve::decay("schedule.start_factor", self.start_factor)?;
        check::in_range("schedule.end_factor", self.end_factor, 0.0..=1.0)?;
        some_steps("schedule.total_steps", self.total_steps)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.total_steps.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let total = self.total_steps.unwrap_or(1).max(1) as f64;
        let p = (step as f64 / total).min(1.0);
        self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * p)
    }

    fn peak(&self) -> f64 {
        self.base_lr * self.start_factor.max(self.end_factor)
    }

    fn set_peak(&mut self, peak: f64) {
        self.base_lr = peak / self.start_factor.max(self.end_factor);
    }
}
