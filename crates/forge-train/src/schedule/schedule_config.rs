//! Which learning rate when, as configured.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{FactorConfig, Schedule};

/// A learning-rate schedule: `{"name": "cosine_warmup", "base_lr": 0.001}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ScheduleConfig {
    /// The same rate at every step.
    Constant(Constant),
    /// Linear warm-up, then half a cosine.
    CosineWarmup(CosineWarmup),
    /// Cosines of growing length, each from the full rate.
    CosineWarmRestarts(CosineWarmRestarts),
    /// Up, down, and further down.
    OneCycle(OneCycle),
    /// A rate times a factor that follows the progress of the run.
    Factor(FactorSchedule),
}

/// The same rate at every step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The rate. Above 0, default 1e-3.
    pub lr: f64,
}

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

/// The curve between two rates of [`OneCycle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

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

impl Default for Constant {
    fn default() -> Self {
        Self { lr: 1e-3 }
    }
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

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::CosineWarmup(CosineWarmup::default())
    }
}

fn at_least_one(field: &str, value: f64) -> Result<(), ForgeError> {
    if value.is_finite() && value >= 1.0 {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, "finite and at least 1"))
    }
}

fn some_steps(field: &str, steps: Option<u64>) -> Result<(), ForgeError> {
    match steps {
        Some(0) => Err(ForgeError::config(field, 0, "at least 1")),
        _ => Ok(()),
    }
}

impl ScheduleConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Constant(c) => check::positive("schedule.lr", c.lr),
            Self::CosineWarmup(c) => {
                check::positive("schedule.base_lr", c.base_lr)?;
                check::in_range("schedule.min_lr", c.min_lr, 0.0..=c.base_lr)?;
                some_steps("schedule.total_steps", c.total_steps)?;
                if let (Some(w), Some(n)) = (c.warmup_steps, c.total_steps) {
                    check::in_range("schedule.warmup_steps", w, 0..n)?;
                }
                Ok(())
            }
            Self::CosineWarmRestarts(c) => {
                check::positive("schedule.base_lr", c.base_lr)?;
                check::in_range("schedule.min_lr", c.min_lr, 0.0..=c.base_lr)?;
                some_steps("schedule.t_0", c.t_0)?;
                some_steps("schedule.t_mult", Some(c.t_mult))
            }
            Self::OneCycle(c) => {
                check::positive("schedule.max_lr", c.max_lr)?;
                some_steps("schedule.total_steps", c.total_steps)?;
                let highest = if c.three_phase { 0.5 } else { 1.0 };
                if !(c.pct_start > 0.0 && c.pct_start < 1.0 && c.pct_start <= highest) {
                    let allowed = if c.three_phase {
                        "above 0 and at most 0.5 with three_phase"
                    } else {
                        "above 0 and below 1"
                    };
                    return Err(ForgeError::config(
                        "schedule.pct_start",
                        c.pct_start,
                        allowed,
                    ));
                }
                at_least_one("schedule.div_factor", c.div_factor)?;
                at_least_one("schedule.final_div_factor", c.final_div_factor)
            }
            Self::Factor(c) => {
                check::positive("schedule.base_lr", c.base_lr)?;
                some_steps("schedule.total_steps", c.total_steps)?;
                c.factor.validate("schedule.factor")
            }
        }
    }

    /// Fills in what the config leaves to the run: `run_steps` optimiser steps.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds, or a warm-up that is not shorter than the run.
    pub fn build(&self, run_steps: u64) -> Result<Schedule, ForgeError> {
        self.validate()?;
        let mut filled = self.clone();
        let run_steps = run_steps.max(1);
        match &mut filled {
            Self::Constant(_) => {}
            Self::CosineWarmup(c) => {
                let total = *c.total_steps.get_or_insert(run_steps);
                let warmup = *c.warmup_steps.get_or_insert(total / 20);
                check::in_range("schedule.warmup_steps", warmup, 0..total)?;
            }
            Self::CosineWarmRestarts(c) => {
                c.t_0.get_or_insert(run_steps);
            }
            Self::OneCycle(c) => {
                c.total_steps.get_or_insert(run_steps);
            }
            Self::Factor(c) => {
                c.total_steps.get_or_insert(run_steps);
            }
        }
        Ok(Schedule::new(filled))
    }

    /// The same schedule with another highest rate; its other rates keep their proportion to it.
    #[must_use]
    pub fn with_peak_lr(mut self, peak: f64) -> Self {
        let factor = peak / self.peak_lr();
        match &mut self {
            Self::Constant(c) => c.lr = peak,
            Self::CosineWarmup(c) => {
                (c.base_lr, c.min_lr) = (peak, c.min_lr * factor);
            }
            Self::CosineWarmRestarts(c) => {
                (c.base_lr, c.min_lr) = (peak, c.min_lr * factor);
            }
            // First and last rate are fractions of it.
            Self::OneCycle(c) => c.max_lr = peak,
            Self::Factor(c) => c.base_lr = peak,
        }
        self
    }

    /// The highest rate the schedule reaches.
    #[must_use]
    pub fn peak_lr(&self) -> f64 {
        match self {
            Self::Constant(c) => c.lr,
            Self::CosineWarmup(c) => c.base_lr,
            Self::CosineWarmRestarts(c) => c.base_lr,
            Self::OneCycle(c) => c.max_lr,
            Self::Factor(c) => c.base_lr,
        }
    }
}
