//! Rates that fall by a factor: at every so many steps, at some steps, at all of them.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, decay, share_of_run, some_steps, steps_of_share};

/// `base · gamma^⌊step/every⌋` (PyTorch's `StepLR`).
///
/// Schedules that fall at every epoch are written with `share`, the epochs planned being known:
///
/// ```
/// // Ten epochs: two at the first rate, then half of it after each.
/// let halved: forge_train::schedule::ScheduleConfig = serde_json::from_str(
///     r#"{"name": "sequential", "parts": [
///         {"share": 0.1, "schedule": {"name": "constant", "lr": 0.01}},
///         {"schedule": {"name": "step", "base_lr": 0.01, "gamma": 0.5, "share": 0.1111111111111111}}
///     ]}"#,
/// )?;
/// let rates = halved.build(10 * 33)?;
/// assert_eq!([rates.lr(65), rates.lr(66), rates.lr(98), rates.lr(99)], [0.01, 0.005, 0.005, 0.0025]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepDecay {
    /// The first rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// Steps from one fall to the next. At least 1. Absent: `share` of the run, at least 1.
    pub every: Option<u64>,
    /// From one fall to the next, as a share of the run (in `sequential`, of the part), in `(0, 1)`; not
    /// beside `every`. Absent: a third.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// In `(0, 1]`, default 0.1.
    pub gamma: f64,
}

/// `base · gamma^k` after `k` of the milestones (PyTorch's `MultiStepLR`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiStepDecay {
    /// The first rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// Steps at which the rate falls, rising; equal ones count twice. At least one.
    pub milestones: Vec<u64>,
    /// In `(0, 1]`, default 0.1.
    pub gamma: f64,
}

/// `base · gamma^(step/every)` (PyTorch's `ExponentialLR` for `every` 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exponential {
    /// The first rate. Above 0, default 1e-3.
    pub base_lr: f64,
    /// In `(0, 1]`, default 0.1.
    pub gamma: f64,
    /// Steps in which the rate falls by `gamma`. At least 1. Absent: the steps of the run.
    pub every: Option<u64>,
}

impl Default for StepDecay {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            every: None,
            share: None,
            gamma: 0.1,
        }
    }
}

impl Default for MultiStepDecay {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            milestones: vec![],
            gamma: 0.1,
        }
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            base_lr: 1e-3,
            gamma: 0.1,
            every: None,
        }
    }
}

fn base_and_gamma(base: f64, gamma: f64) -> Result<(), ForgeError> {
    check::positive("schedule.base_lr", base)?;
    decay("schedule.gamma", gamma)
}

impl Curve for StepDecay {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_gamma(self.base_lr, self.gamma)?;
        share_of_run("schedule.share", self.share, self.every)?;
        some_steps("schedule.every", self.every)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        let of_share = |share| steps_of_share(share, run_steps);
        let every = self.share.take().map_or((run_steps / 3).max(1), of_share);
        self.every.get_or_insert(every);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let falls = step / self.every.unwrap_or(1).max(1);
        self.base_lr * self.gamma.powf(falls as f64)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        self.base_lr = peak;
    }
}

impl Curve for MultiStepDecay {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_gamma(self.base_lr, self.gamma)?;
        if self.milestones.is_empty() || !self.milestones.is_sorted() {
            let found = format!("{:?}", self.milestones);
            let allowed = "at least one step, rising";
            return Err(ForgeError::config("schedule.milestones", found, allowed));
        }
        Ok(())
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        match self.milestones.iter().find(|at| **at >= run_steps) {
            Some(late) => {
                let allowed = format!("below the {run_steps} steps of the run");
                Err(ForgeError::config("schedule.milestones", late, allowed))
            }
            None => Ok(()),
        }
    }

    fn lr(&self, step: u64) -> f64 {
        let falls = self.milestones.partition_point(|at| *at <= step);
        self.base_lr * self.gamma.powf(falls as f64)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        self.base_lr = peak;
    }
}

impl Curve for Exponential {
    fn validate(&self) -> Result<(), ForgeError> {
        base_and_gamma(self.base_lr, self.gamma)?;
        some_steps("schedule.every", self.every)
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        self.every.get_or_insert(run_steps);
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let every = self.every.unwrap_or(1).max(1) as f64;
        self.base_lr * self.gamma.powf(step as f64 / every)
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        self.base_lr = peak;
    }
}
