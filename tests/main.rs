//! The facade's integration tests, one binary.
#![allow(clippy::unwrap_used)]

mod allocation;
mod artifact;
mod artifact_memory;
mod attention_memory;
mod bad_input;
mod baseline;
mod before_the_first_step;
mod boosting;
mod calibration;
mod cases;
mod chain;
mod checkpointing_memory;
mod classifier;
mod continual;
mod distill;
mod doubt;
mod ensemble;
mod estimator;
mod experiment;
mod experiment_config;
mod experiment_tasks;
mod forecast;
mod fuzz_corpus;
mod importance;
mod in_context;
mod kill;
#[allow(unreachable_pub)]
#[path = "../crates/forge-testkit/src/kill.rs"]
mod killing;
mod labelled;
mod members;
mod model_choice;
#[allow(unused_macros, dead_code)]
#[path = "../examples/output/mod.rs"]
mod output;
mod predict_file;
mod printing;
mod prior_fitting;
mod reading_settings;
mod refit;
mod report;
mod run_folder;
mod run_notes;
mod training_pieces;
