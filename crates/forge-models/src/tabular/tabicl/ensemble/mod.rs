//! Predicting with a released checkpoint as its authors do: prepared columns, several orders of
//! columns and classes, one answer.

mod member;
mod predictor;

pub use predictor::{TabIclEnsemble, TabIclEnsembleConfig};
