//! A run: data, split, several models and baselines, a leaderboard, and a folder with everything.

mod chain;
mod config;
mod data;
mod run;
mod summary;

pub use config::ExperimentConfig;
pub use data::ExperimentData;
pub use run::{Experiment, ObserverMaker, RunEvent, RunOptions};
pub use summary::{BaselineResult, ModelResult, Summary};
