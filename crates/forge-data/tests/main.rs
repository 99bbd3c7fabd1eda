//! The integration tests of forge-data, one binary.
#![allow(clippy::unwrap_used)]

mod black76;
mod dataset;
mod dirty_csv;
mod market;
mod preprocess;
mod preprocess_parts;
mod preprocess_properties;
mod read_csv;
mod split;
mod table;
mod tables;
mod target;
