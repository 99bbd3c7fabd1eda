//! A run: data, split, several models and baselines, a leaderboard, and a folder with everything.

mod baselines;
mod config;
mod data;
mod doubt;
mod fingerprint;
mod importance;
mod model_record;
mod notes;
mod pages;
mod run;
mod split_parts;
mod summary;
mod task_choice;

pub use config::ExperimentConfig;
pub use data::ExperimentData;
pub use run::{Experiment, ObserverMaker, RunEvent, RunOptions, SectionMaker};
pub use summary::{BaselineResult, FailedModel, ModelResult, Summary};
pub use task_choice::TaskChoice;
