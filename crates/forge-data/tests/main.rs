//! The integration tests of forge-data, one binary.
#![allow(clippy::unwrap_used)]

mod dataset;
mod dirty_csv;
mod preprocess;
mod preprocess_parts;
mod preprocess_properties;
mod read_csv;
mod split;
mod table;
mod tables;
mod target;
