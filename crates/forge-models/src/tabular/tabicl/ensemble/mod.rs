//! Predicting with a released checkpoint as its authors do: prepared columns, several orders of
//! columns and classes, one answer.

mod member;
mod predictor;
mod preparation;
mod shuffle;
mod yeo_johnson;

pub use predictor::{TabIclEnsemble, TabIclEnsembleConfig};
