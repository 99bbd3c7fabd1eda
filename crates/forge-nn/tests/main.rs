//! The integration tests of forge-nn, one binary.
#![allow(clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "Burn's own operations are what ours are compared with"
)]

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
mod worker;
