//! Learning rates over the steps of a run.
//!
//! A [`ScheduleConfig`] says what is wanted; [`ScheduleConfig::build`] fills in the length of the
//! run and gives a [`Schedule`], a pure function of the step. So a schedule has no state to save:
//! its position is the step count. [`Plateau`] alone follows validation scores, and remembers.
//!
//! A [`FactorConfig`] is the same for what else changes over a run: weight decay and dropout.

mod combined;
mod constant;
mod cosine_cycles;
mod cosine_warm_restarts;
mod cosine_warmup;
mod curve;
mod decays;
mod factor_config;
mod factor_schedule;
mod linear;
mod one_cycle;
mod plateau;
mod polynomial;
mod schedule_config;
mod schedule_curve;
mod swa_lr;

pub use combined::{Chained, SchedulePart, Sequential};
pub use constant::Constant;
pub use cosine_cycles::CosineCycles;
pub use cosine_warm_restarts::CosineWarmRestarts;
pub use cosine_warmup::CosineWarmup;
pub use curve::Anneal;
pub use decays::{Exponential, MultiStepDecay, StepDecay};
pub use factor_config::{CosLogFactor, FactorConfig, FlatCosFactor};
pub use factor_schedule::FactorSchedule;
pub use linear::Linear;
pub use one_cycle::OneCycle;
pub use plateau::{Plateau, PlateauMode, ReduceOnPlateau, Threshold};
pub use polynomial::Polynomial;
pub use schedule_config::ScheduleConfig;
pub use schedule_curve::Schedule;
pub use swa_lr::SwaLr;
