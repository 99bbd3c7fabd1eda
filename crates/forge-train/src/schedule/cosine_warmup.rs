//! Warm-up and half a cosine.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, base_and_min, cosine, some_steps};

/// `base · step/W` for `step < W`, then `min + ½ (base - min)(1 + cos(π p))` with
/// `p = min(1, (step - W)/(N - W))` (Loshchilov and Hutter 2017 with a linear warm-up).
///
/// The rate of step 0 is 0 when there is a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineWarmup {
    /// The highest rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// The last rate, in `0..=base_lr`. Default 0.
    pub min_lr: f64,
    /// `W`, below `N`. Absent: 5 % of `N`, rounded down.
    pub warmup_steps: Option<u64>,
    /// `N`. Absent: the steps of the run.
    pub total_steps: Option<u64>,
}

impl Default for CosineWarmup {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            min_lr: 0.0,
            warmup_steps: None,
            total_steps: None,
        }
    }
}

impl Curve for CosineWarmup {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_min(self.base_lr, self.min_lr)?;
        some_steps("schedule.total_steps", self.total_steps)?;
        if let (Some(w), Some(n)) = (self.warmup_steps, self.total_steps) {
            check::in_range("schedule.warmup_steps", w, 0..n)?;
        }
        Ok(())
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        let total = *self.total_steps.get_or_insert(run_steps);
        let warmup = *self.warmup_steps.get_or_insert(total / 20);
        check::in_range("schedule.warmup_steps", warmup, 0..total)
    }

    fn lr(&self, step: u64) -> f64 {
        let warmup = self.warmup_steps.unwrap_or(0);
        let total = self.total_steps.unwrap_or(warmup + 1);
        if step < warmup {
            return self.base_lr * step as f64 / warmup as f64;
        }
        let length = total.saturating_sub(warmup).max(1);
        let p = ((step - warmup) as f64 / length as f64).min(1.0);
        cosine(self.base_lr, self.min_lr, p)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        (self.min_lr, self.base_lr) = (self.min_lr * (peak / self.base_lr), peak);
    }
}
