//! Predicting with the released checkpoints as their authors do.

mod features;
mod member;
mod predictor;
mod target;

pub use predictor::{TabPfnV2Ensemble, TabPfnV2EnsembleConfig};
