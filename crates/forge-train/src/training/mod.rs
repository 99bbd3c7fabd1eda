//! The training loop, what it is made of and what hears of it.

mod best;
mod candidates;
mod divergence;
mod early_stopping;
mod ending;
mod engine;
mod inner_step;
mod loss_reader;
mod lr_finder;
mod micro_batches;
mod observer;
mod outcome;
mod pace;
mod parts;
mod progress;
pub mod rule;
mod run;
mod run_identity;
pub mod sampler;
mod saver;
mod together;
mod train_task;
mod trainer;
mod trainer_config;

pub use divergence::{OnDivergence, Rollback};
pub use early_stopping::EarlyStoppingConfig;
pub use ending::Ending;
pub use engine::{Engine, EngineConfig, ParameterGroup, Phase, StepContext, StepOutcome};
pub use inner_step::inner_step;
pub use lr_finder::{LrCurve, LrFinder, LrFinderConfig, LrPoint, LrSweep};
pub use observer::{BatchEvent, EndEvent, EpochEvent, Flow, ModuleView, Observer, StartEvent};
pub use outcome::{EpochRecord, StopReason, TrainOutcome, Validation};
pub use saver::Start;
pub use train_task::TrainTask;
pub use trainer::Trainer;
pub use trainer_config::{CheckpointConfig, TrainerConfig};
