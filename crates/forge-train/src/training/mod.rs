//! The training loop and what hears of it.

mod batches;
mod early_stopping;
mod observer;
mod outcome;
mod progress;
mod run;
mod train_task;
mod trainer;
mod trainer_config;

pub use batches::Batches;
pub use early_stopping::EarlyStoppingConfig;
pub use observer::{BatchEvent, EndEvent, EpochEvent, Observer, StartEvent};
pub use outcome::{EpochRecord, StopReason, TrainOutcome};
pub use train_task::TrainTask;
pub use trainer::{Start, Trainer};
pub use trainer_config::{CheckpointConfig, TrainerConfig};
