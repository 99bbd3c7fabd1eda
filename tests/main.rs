//! The facade's integration tests, one binary.
#![allow(clippy::unwrap_used)]

mod allocation;
mod artifact;
mod attention_memory;
mod bad_input;
mod baseline;
mod boosting;
mod chain;
mod classifier;
mod estimator;
mod experiment;
mod experiment_config;
mod experiment_tasks;
mod report;
