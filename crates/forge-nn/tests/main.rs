//! The integration tests of forge-nn, one binary.
#![allow(clippy::unwrap_used)]

mod checks;
mod components;
mod configs;
mod linear;
mod num_embeddings;
mod ops;
mod parameters;
mod property;
mod recompute;
mod state;
mod tokenizer;
