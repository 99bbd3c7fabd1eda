//! Adaptation, architecture search, continual learning and uncertainty: methods that work on any
//! module and never name a model.
//!
//! - [`functional`] is what they stand on: exact derivatives, of any order, of what a module computes.
//! - [`adaptation`]: modules that learn a new task from a few samples.
//! - [`bayesian`]: networks that know how sure they are.
//! - [`continual`]: learning one task after another without forgetting.
//! - [`search`]: architectures found by gradients.

pub mod adaptation;
pub mod bayesian;
pub mod continual;
pub mod functional;
pub mod search;
