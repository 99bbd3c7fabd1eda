//! Which learning rate when, as configured.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::{
    Chained, Constant, CosineCycles, CosineWarmRestarts, CosineWarmup, Exponential, FactorSchedule,
    Linear, MultiStepDecay, OneCycle, Polynomial, ReduceOnPlateau, Schedule, Sequential, StepDecay,
    SwaLr,
};

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
    /// Cosines that share the run evenly, each from the full rate.
    CosineCycles(CosineCycles),
    /// Up, down, and further down.
    OneCycle(OneCycle),
    /// A rate times a factor that follows the progress of the run.
    Factor(FactorSchedule),
    /// A straight line to a rate that stays.
    Linear(Linear),
    /// A power of what is left of the run.
    Polynomial(Polynomial),
    /// Down by a factor at every so many steps.
    Step(StepDecay),
    /// Down by a factor at some steps.
    MultiStep(MultiStepDecay),
    /// Down by the same factor at every step.
    Exponential(Exponential),
    /// To the rate at which weights are averaged.
    SwaLr(SwaLr),
    /// Down by a factor when validation stands still.
    ReduceOnPlateau(ReduceOnPlateau),
    /// One after the other.
    Sequential(Sequential),
    /// All at once, multiplied.
    Chained(Chained),
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::CosineWarmup(CosineWarmup::default())
    }
}

/// The same for every kind.
macro_rules! each {
    ($config:expr, $c:ident => $do:expr) => {
        match $config {
            ScheduleConfig::Constant($c) => $do,
            ScheduleConfig::CosineWarmup($c) => $do,
            ScheduleConfig::CosineWarmRestarts($c) => $do,
            ScheduleConfig::CosineCycles($c) => $do,
            ScheduleConfig::OneCycle($c) => $do,
            ScheduleConfig::Factor($c) => $do,
            ScheduleConfig::Linear($c) => $do,
            ScheduleConfig::Polynomial($c) => $do,
            ScheduleConfig::Step($c) => $do,
            ScheduleConfig::MultiStep($c) => $do,
            ScheduleConfig::Exponential($c) => $do,
            ScheduleConfig::SwaLr($c) => $do,
            ScheduleConfig::ReduceOnPlateau($c) => $do,
            ScheduleConfig::Sequential($c) => $do,
            ScheduleConfig::Chained($c) => $do,
        }
    };
}

impl ScheduleConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        self.curve().validate()
    }

    /// Fills in what the config leaves to the run: `run_steps` optimiser steps.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds, or what does not fit a run of that length, such as a
    /// warm-up that is not shorter.
    pub fn build(&self, run_steps: u64) -> Result<Schedule, ForgeError> {
        Ok(Schedule::new(self.filled(run_steps)?))
    }

    /// The same schedule with another highest rate; its other rates keep their proportion to it.
    #[must_use]
    pub fn with_peak_lr(mut self, peak: f64) -> Self {
        self.curve_mut().set_peak(peak);
        self
    }

    /// The highest rate the schedule reaches.
    #[must_use]
    pub fn peak_lr(&self) -> f64 {
        self.curve().peak()
    }

    /// Whether it needs validation scores: its rate is then no function of the step.
    #[must_use]
    pub fn follows_scores(&self) -> bool {
        matches!(self, Self::ReduceOnPlateau(_))
    }

    pub(super) fn filled(&self, run_steps: u64) -> Result<Self, ForgeError> {
        self.validate()?;
        let mut filled = self.clone();
        filled.curve_mut().fill(run_steps.max(1))?;
        Ok(filled)
    }

    pub(super) fn curve(&self) -> &dyn Curve {
        each!(self, c => c)
    }

    pub(super) fn curve_mut(&mut self) -> &mut dyn Curve {
        each!(self, c => c)
    }
}
