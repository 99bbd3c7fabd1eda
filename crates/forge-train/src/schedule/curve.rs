//! What every kind of schedule can say of itself.

use std::f64::consts::PI;

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// One kind of schedule. The fields that errors name are those of `schedule`.
pub(super) trait Curve {
    fn validate(&self) -> Result<(), ForgeError>;

    /// Fills in what is left to the run, of `run_steps` steps (at least 1).
    ///
    /// # Errors
    /// What fits no run of that length.
    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        let _ = run_steps;
        Ok(())
    }

    /// The rate of step `step` (from 0); everything is filled in.
    fn lr(&self, step: u64) -> f64;

    /// The highest rate.
    fn peak(&self) -> f64;

    /// Sets the highest rate; the others keep their proportion to it.
    fn set_peak(&mut self, peak: f64);
}

/// The curve between two rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl Anneal {
    /// From `start` to `end`, at share `p` of the way.
    pub(super) fn between(self, start: f64, end: f64, p: f64) -> f64 {
        match self {
            Self::Cos => cosine(start, end, p),
            Self::Linear => start + (end - start) * p,
        }
    }
}

/// From `start` to `end`, at share `p` of the way, along half a cosine.
pub(super) fn cosine(start: f64, end: f64, p: f64) -> f64 {
    end + 0.5 * (start - end) * (1.0 + (PI * p).cos())
}

/// A base rate and a lowest rate up to it.
pub(super) fn base_and_min(base: f64, min: f64) -> Result<(), ForgeError> {
    check::positive("schedule.base_lr", base)?;
    check::in_range("schedule.min_lr", min, 0.0..=base)
}

pub(super) fn at_least_one(field: &str, value: f64) -> Result<(), ForgeError> {
    if value.is_finite() && value >= 1.0 {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, "finite and at least 1"))
    }
}

pub(super) fn some_steps(field: &str, steps: Option<u64>) -> Result<(), ForgeError> {
    match steps {
        Some(0) => Err(ForgeError::config(field, 0, "at least 1")),
        _ => Ok(()),
    }
}

/// A length as a share of the run, where it is not given in steps.
pub(super) fn share_of_run(
    field: &str,
    share: Option<f64>,
    steps: Option<u64>,
) -> Result<(), ForgeError> {
    let Some(share) = share else { return Ok(()) };
    if !(share > 0.0 && share < 1.0) {
        return Err(ForgeError::config(field, share, "in (0, 1)"));
    }
    if steps.is_some() {
        let allowed = "absent where steps are set";
        return Err(ForgeError::config(field, share, allowed));
    }
    Ok(())
}

/// A share of a run in steps, at least 1.
pub(super) fn steps_of_share(share: f64, run_steps: u64) -> u64 {
    ((share * run_steps as f64).round() as u64).max(1)
}

/// A factor that is applied again and again.
pub(super) fn decay(field: &str, factor: f64) -> Result<(), ForgeError> {
    if factor > 0.0 && factor <= 1.0 {
        Ok(())
    } else {
        Err(ForgeError::config(field, factor, "in (0, 1]"))
    }
}
