//! Which rates to try.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// Which rates to try. The defaults are those of fastai and torch-lr-finder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LrFinderConfig {
    /// The first rate. Above 0, default 1e-7.
    pub start_lr: f64,
    /// The last rate. Above `start_lr`, default 10.
    pub end_lr: f64,
    /// Rates, in equal ratios. 2 to 100,000, default 100.
    pub steps: usize,
    /// Share of the newest loss in the smoothed one, in `(0, 1]`. Default 0.05.
    pub smoothing: f64,
    /// The sweep ends where the smoothed loss is so many times the best one. Above 1, default 5.
    /// (Losses may be negative: it ends `diverge_factor - 1` times the best one's size above it.)
    pub diverge_factor: f64,
}

impl Default for LrFinderConfig {
    fn default() -> Self {
        Self {
            start_lr: 1e-7,
            end_lr: 10.0,
            steps: 100,
            smoothing: 0.05,
            diverge_factor: 5.0,
        }
    }
}

impl LrFinderConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::positive("lr_finder.start_lr", self.start_lr)?;
        let above = |field: &str, value: f64, low: f64| {
            if value.is_finite() && value > low {
                Ok(())
            } else {
                let allowed = format!("finite and above {low}");
                Err(ForgeError::config(field, value, allowed))
            }
        };
        above("lr_finder.end_lr", self.end_lr, self.start_lr)?;
        check::in_range("lr_finder.steps", self.steps, 2..=100_000)?;
        if !(self.smoothing > 0.0 && self.smoothing <= 1.0) {
            let field = "lr_finder.smoothing";
            return Err(ForgeError::config(field, self.smoothing, "in (0, 1]"));
        }
        above("lr_finder.diverge_factor", self.diverge_factor, 1.0)
    }

    /// Rate number `i` (from 0): `start (end/start)^(i/(steps - 1))`.
    pub(super) fn lr(&self, i: usize) -> f64 {
        let share = i as f64 / (self.steps - 1) as f64;
        self.start_lr * (self.end_lr / self.start_lr).powf(share)
    }
}
