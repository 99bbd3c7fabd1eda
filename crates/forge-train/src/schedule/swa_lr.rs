//! The rate of weight averaging.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::Anneal;
use super::curve::{Curve, some_steps};

/// From `base_lr` to `swa_lr` in `anneal_steps` steps, and constant from then on, while weights are
/// averaged (Izmailov et al. 2018; PyTorch's `SWALR`). As the last part of a
/// [`Sequential`](super::Sequential) it begins where the average does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwaLr {
    /// The first rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The last rate. Above 0. Absent: half of `base_lr`.
    pub swa_lr: Option<f64>,
    /// Steps from one to the other. At least 1. Absent: a tenth of the run, at least 1.
    pub anneal_steps: Option<u64>,
    /// The curve. Default cosine.
    pub anneal: Anneal,
}

impl Default for SwaLr {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            swa_lr: None,
            anneal_steps: None,
            anneal: Anneal::Cos,
        }
    }
}

impl SwaLr {
    fn last(&self) -> f64 {
        self.swa_lr.unwrap_or(0.5 * self.base_lr)
    }
}

impl Curve for SwaLr {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("schedule.base_lr", self.base_lr)?;
        check::positive("schedule.swa_lr", self.last())?;
        some_steps("schedule.anneal_steps", self.anneal_steps)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.swa_lr.get_or_insert(0.5 * self.base_lr);
        self.anneal_steps.get_or_insert((run_steps / 10).max(1));
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let steps = self.anneal_steps.unwrap_or(1).max(1) as f64;
        let p = (step as f64 / steps).min(1.0);
        self.anneal.between(self.base_lr, self.last(), p)
    }

    fn peak(&self) -> f64 {
        self.base_lr.max(self.last())
    }

    fn set_peak(&mut self, peak: f64) {
        let factor = peak / self.peak();
        self.base_lr *= factor;
        self.swa_lr = self.swa_lr.map(|lr| lr * factor);
    }
}
