//! The integration tests of forge-nn, one binary.
#![allow(clippy::unwrap_used)]

mod case;
mod components;
mod gradient;
mod ops;
mod property;
mod tokenizer;
