//! Learning rates over the steps of a run.
//!
//! A [`ScheduleConfig`] says what is wanted; [`ScheduleConfig::build`] fills in the length of the
//! run and gives a [`Schedule`], a pure function of the step. So a schedule has no state to save:
//! its position is the step count.

mod schedule_config;
mod schedule_curve;

pub use schedule_config::{
    Anneal, Constant, CosineWarmRestarts, CosineWarmup, OneCycle, ScheduleConfig,
};
pub use schedule_curve::Schedule;
