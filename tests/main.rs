//! The facade's integration tests, one binary.
#![allow(clippy::unwrap_used)]

mod allocation;
mod artifact;
mod attention_memory;
mod bad_input;
mod baseline;
mod cases;
mod chain;
mod classifier;
mod estimator;
mod experiment;
mod experiment_config;
mod experiment_tasks;
mod predict_file;
mod reading_settings;
mod report;
mod run_notes;
