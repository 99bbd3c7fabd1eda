//! Losses, objectives, metrics, averaging, schedules, optimisers and the trainer of volatilityforge.
//!
//! Nothing here knows a concrete model: the [`Trainer`] runs over anything that implements the
//! small trait [`TrainTask`], and an [`Engine`] makes single steps for a loop of your own.
//! `docs/training.md` in the repository is the guide.
//!
//! Shape letters are those of [`forge_nn`].

pub mod averaging;
mod bisection;
pub mod calibration;
pub mod checkpoint;
pub mod distribution;
mod is_default;
pub mod log;
pub mod loss;
pub mod metric;
pub mod objective;
pub mod optimizer;
pub mod precision;
pub mod schedule;
mod training;

pub use bisection::bisect;
pub use training::{
    BatchEvent, CheckpointConfig, EarlyStoppingConfig, EndEvent, Ending, Engine, EngineConfig,
    EpochEvent, EpochRecord, Flow, LrCurve, LrFinder, LrFinderConfig, LrPoint, LrSweep, ModuleView,
    Observer, OnDivergence, ParameterGroup, Phase, Rollback, Start, StartEvent, StepContext,
    StepOutcome, StopReason, TrainOutcome, TrainTask, Trainer, TrainerConfig, Validation,
    inner_step,
};
pub use training::{rule, sampler};

/// The guides' code, compiled.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/training.md")]
    struct Training;
    #[doc = include_str!("../../../docs/optimizers.md")]
    struct Optimizers;
    #[doc = include_str!("../../../docs/schedules.md")]
    struct Schedules;
    #[doc = include_str!("../../../docs/lr_finder.md")]
    struct LrFinder;
}
