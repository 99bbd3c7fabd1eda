//! Schedules made of others.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::ScheduleConfig;
use super::curve::{Curve, share_of_run, steps_of_share};

/// One schedule after the other, each from its own step 0 (PyTorch's `SequentialLR`):
///
/// ```
/// let warm: forge_train::schedule::ScheduleConfig = serde_json::from_str(
///     r#"{"name": "sequential", "parts": [
///         {"share": 0.1, "schedule": {"name": "linear", "base_lr": 0.1}},
///         {"schedule": {"name": "exponential", "base_lr": 0.1}}
///     ]}"#,
/// )?;
/// let rates = warm.build(200)?;
/// assert!(rates.lr(0) < rates.lr(19) && rates.lr(20) == 0.1 && rates.lr(150) < 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// In their order; at least one.
    pub parts: Vec<SchedulePart>,
}

/// A part of [`Sequential`]. The last may leave both lengths out, and takes what is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulePart {
    /// Its length in steps. At least 1; not beside `share`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Its length as a share of the run, in `(0, 1)`; at least one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Its rates; what it leaves to the run follows the length of the part.
    pub schedule: ScheduleConfig,
}

/// `base_lr` times what is left of each factor's own highest rate: `base · Π lr_i/peak_i` (PyTorch's
/// `ChainedScheduler`, where each multiplies the same rate).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chained {
    /// The highest rate. Above 0.
    pub base_lr: f64,
    /// At least one; of their rates only the course counts.
    pub factors: Vec<ScheduleConfig>,
}

/// That a schedule inside another follows steps.
fn check_inner(field: &str, inner: &ScheduleConfig) -> Result<(), ForgeError> {
    if inner.follows_scores() {
        let allowed = "a schedule that follows steps; one that follows scores stands alone";
        return Err(ForgeError::config(field, "reduce_on_plateau", allowed));
    }
    inner
        .validate()
        .map_err(|e| ForgeError::config(field, "refused", e.reason()))
}

impl Sequential {
    /// The part that `step` lies in, and where in it.
    fn at(&self, step: u64) -> Option<(&SchedulePart, u64)> {
        let mut step = step;
        let last = self.parts.len().saturating_sub(1);
        for (i, part) in self.parts.iter().enumerate() {
            match part.steps {
                Some(steps) if step >= steps && i < last => step -= steps,
                _ => return Some((part, step)),
            }
        }
        None
    }
}

impl Curve for Sequential {
    fn validate(&self) -> Result<(), ForgeError> {
        if self.parts.is_empty() {
            return Err(ForgeError::config("schedule.parts", "[]", "at least one"));
        }
        for (i, part) in self.parts.iter().enumerate() {
            let field = |name: &str| format!("schedule.parts[{i}].{name}");
            super::curve::some_steps(&field("steps"), part.steps)?;
            share_of_run(&field("share"), part.share, part.steps)?;
            if part.steps.is_none() && part.share.is_none() && i + 1 < self.parts.len() {
                let allowed = "set, or share, for all parts but the last";
                return Err(ForgeError::config(&field("steps"), "absent", allowed));
            }
            check_inner(&field("schedule"), &part.schedule)?;
        }
        Ok(())
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        let mut before: u64 = 0;
        let last = self.parts.len().saturating_sub(1);
        for (i, part) in self.parts.iter_mut().enumerate() {
            let of_share = |share| steps_of_share(share, run_steps);
            let steps = part.steps.or(part.share.take().map(of_share));
            let steps = match steps {
                Some(steps) => steps,
                None => run_steps.saturating_sub(before).max(1),
            };
            let field = format!("schedule.parts[{i}].steps");
            if i > 0 && before >= run_steps {
                let allowed = format!("parts that begin within the {run_steps} steps of the run");
                return Err(ForgeError::config(
                    &field,
                    format!("from {before}"),
                    allowed,
                ));
            }
            part.steps = Some(steps);
            part.schedule = part.schedule.filled(steps).map_err(|e| {
                let field = format!("schedule.parts[{i}].schedule");
                ForgeError::config(&field, format!("{steps} steps long"), e.reason())
            })?;
            before = before.saturating_add(steps);
            if i == last {
                break;
            }
        }
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let at = self.at(step);
        at.map_or(0.0, |(part, step)| part.schedule.curve().lr(step))
    }

    fn peak(&self) -> f64 {
        let peaks = self.parts.iter().map(|part| part.schedule.peak_lr());
        peaks.fold(0.0, f64::max)
    }

    fn set_peak(&mut self, peak: f64) {
        let factor = peak / self.peak();
        for part in &mut self.parts {
            let peak = part.schedule.peak_lr() * factor;
            part.schedule.curve_mut().set_peak(peak);
        }
    }
}

impl Curve for Chained {
    fn validate(&self) -> Result<(), ForgeError> {
        check::positive("schedule.base_lr", self.base_lr)?;
        if self.factors.is_empty() {
            return Err(ForgeError::config("schedule.factors", "[]", "at least one"));
        }
        let mut inner = self.factors.iter().enumerate();
        inner.try_for_each(|(i, factor)| check_inner(&format!("schedule.factors[{i}]"), factor))
    }

    fn fill(&mut self, run_steps: u64) -> Result<(), ForgeError> {
        for (i, factor) in self.factors.iter_mut().enumerate() {
            *factor = factor.filled(run_steps).map_err(|e| {
                let field = format!("schedule.factors[{i}]");
                ForgeError::config(&field, format!("over {run_steps} steps"), e.reason())
            })?;
        }
        Ok(())
    }

    fn lr(&self, step: u64) -> f64 {
        let course = |factor: &ScheduleConfig| factor.curve().lr(step) / factor.peak_lr();
        self.base_lr * self.factors.iter().map(course).product::<f64>()
    }

    fn peak(&self) -> f64 {
        self.base_lr
    }

    fn set_peak(&mut self, peak: f64) {
        self.base_lr = peak;
    }
}
