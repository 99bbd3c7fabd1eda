//! Losses, objectives, metrics, averaging, schedules, optimisers and the trainer of volatilityforge.
//!
//! Nothing here knows a concrete model: the [`Trainer`](training::Trainer) runs over anything that
//! implements the small trait [`TrainTask`](training::TrainTask). `docs/training.md` in the
//! repository is the guide.
//!
//! Shape letters are those of [`forge_nn`].

pub mod averaging;
pub mod checkpoint;
pub mod distribution;
pub mod loss;
pub mod metric;
pub mod objective;
pub mod optimizer;
pub mod schedule;
pub mod training;
