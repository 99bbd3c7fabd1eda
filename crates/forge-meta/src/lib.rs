//! Adaptation, architecture search, continual learning and uncertainty: methods that work on any
//! module and never name a model.
//!
//! - [`functional`] is what they stand on: exact derivatives, of any order, of what a module computes.

pub mod functional;
