//! Cosines that start again.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::curve::{Curve, base_and_min, cosine, some_steps};

/// Cosines from `base_lr` to `min_lr` of `t_0`, `t_0·t_mult`, `t_0·t_mult²`, … steps
/// (SGDR, Loshchilov and Hutter 2017, eq. 5).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineWarmRestarts {
    /// The highest rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The lowest rate, in `0..=base_lr`. Default 0.
    pub min_lr: f64,
    /// Steps of the first cosine. At least 1. Absent: the steps of the run (one cosine).
    pub t_0: Option<u64>,
    /// Growth from one cosine to the next. At least 1, default 2.
    pub t_mult: u64,
}

impl Default for CosineWarmRestarts {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            min_lr: 0.0,
            t_0: None,
            t_mult: 2,
        }
    }
}

impl Curve for CosineWarmRestarts {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_min(self.base_lr, self.min_lr)?;
        some_steps("schedule.t_0", self.t_0)?;
        some_steps("schedule.t_mult", Some(self.t_mult))
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.t_0.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let mut length = self.t_0.unwrap_or(1).max(1);
        let mut position = step;
        if self.t_mult <= 1 {
            position %= length;
        } else {
            while position >= length {
                position -= length;
                length = length.saturating_mul(self.t_mult);
            }
        }
        cosine(self.base_lr, self.min_lr, position as f64 / length as f64)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        (self.min_lr, self.base_lr) = (self.min_lr * (peak / self.base_lr), peak);
    }
}
