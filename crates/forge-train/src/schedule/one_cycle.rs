//! One cycle.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::Anneal;
use super::curve::{Curve, at_least_one, some_steps};

/// From `max_lr/div_factor` up to `max_lr` over the first `pct_start` of the steps, then down to
/// the initial rate divided by `final_div_factor` (Smith and Topin 2018; PyTorch's `OneCycleLR`).
///
/// Departure: the momentum is not cycled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// The highest rate. Above 0, default 1e-3.
    pub max_lr: f64,
    /// Absent: the steps of the run. At least 1.
    pub total_steps: Option<u64>,
    /// Share of the steps that rise, in `(0, 1)`. Default 0.3.
    pub pct_start: f64,
    /// The curve. Default cosine.
    pub anneal: Anneal,
    /// `max_lr` over the first rate. At least 1, default 25.
    pub div_factor: f64,
    /// The first rate over the last. At least 1, default 1e4.
    pub final_div_factor: f64,
    /// Come down as fast as up, then go on to the last rate; `pct_start` is then at most 0.5.
    pub three_phase: bool,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            max_lr: 1e-3,
            total_steps: None,
            pct_start: 0.3,
            anneal: Anneal::Cos,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }
}

impl Curve for OneCycle {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("schedule.max_lr", self.max_lr)?;
        some_steps("schedule.total_steps", self.total_steps)?;
        let highest = if self.three_phase { 0.5 } else { 1.0 };
        let pct = self.pct_start;
        if !(pct > 0.0 && pct < 1.0 && pct <= highest) {
            let allowed = if self.three_phase {
                "above 0 and at most 0.5 with three_phase"
            } else {
                "above 0 and below 1"
            };
            return Err(ForgeError::config("schedule.pct_start", pct, allowed));
        }
        at_least_one("schedule.div_factor", self.div_factor)?;
        at_least_one("schedule.final_div_factor", self.final_div_factor)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.total_steps.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let total = self.total_steps.unwrap_or(1) as f64;
        let initial = self.max_lr / self.div_factor;
        let last = initial / self.final_div_factor;
        let up = self.pct_start * total - 1.0;
        // The ends of the phases are fractional, as in PyTorch: `(end, from, to)`.
        let phases = if self.three_phase {
            let down = 2.0 * self.pct_start * total - 2.0;
            vec![
                (up, initial, self.max_lr),
                (down, self.max_lr, initial),
                (total - 1.0, initial, last),
            ]
        } else {
            vec![(up, initial, self.max_lr), (total - 1.0, self.max_lr, last)]
        };
        let step = step as f64;
        let mut start = 0.0;
        for (end, from, to) in phases {
            if step <= end && end > start {
                return self
                    .anneal
                    .between(from, to, (step - start) / (end - start));
            }
            start = end.max(start);
        }
        last
    }

    fn peak(&self) -> f64 {
        self.max_lr
    }

    fn set_peak(&mut self, peak: f64) {
        // First and last rate are fractions of it.
        self.max_lr = peak;
    }
}
