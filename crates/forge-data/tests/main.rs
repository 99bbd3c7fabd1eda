//! The integration tests of forge-data, one binary.
#![allow(clippy::unwrap_used)]

mod black76;
mod class_target;
mod dataset;
mod dirty_csv;
mod market;
#[cfg(unix)]
mod pipes;
mod preprocess;
mod preprocess_parts;
mod preprocess_properties;
mod read_csv;
#[cfg(feature = "excel")]
mod read_excel;
#[cfg(feature = "parquet")]
mod read_parquet;
mod shared_files;
mod split;
mod table;
mod tables;
mod target;
mod target_encoder;
#[cfg(feature = "excel")]
mod workbook;
