//! Learning rates over the steps of a run.
//!
//! A [`ScheduleConfig`] says what is wanted; [`ScheduleConfig::build`] fills in the length of the
//! run and gives a [`Schedule`], a pure function of the step. So a schedule has no state to save:
//! its position is the step count.
//!
//! A [`FactorConfig`] is the same for what else changes over a run: weight decay and dropout.

mod factor_config;
mod schedule_config;
mod schedule_curve;

pub use factor_config::{CosLogFactor, FactorConfig, FlatCosFactor};
pub use schedule_config::{
    Anneal, Constant, CosineWarmRestarts, CosineWarmup, FactorSchedule, OneCycle, ScheduleConfig,
};
pub use schedule_curve::Schedule;
