//! The integration tests of forge-data, one binary.
#![allow(clippy::unwrap_used)]

mod dataset;
mod preprocess;
mod preprocess_parts;
mod preprocess_properties;
mod split;
mod tables;
mod target;
