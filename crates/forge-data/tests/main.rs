//! The integration tests of forge-data, one binary.
#![allow(clippy::unwrap_used)]

mod augment;
mod black76;
mod cases;
mod class_target;
mod compressed;
mod dataset;
mod dirty_csv;
mod features;
mod greeks;
#[cfg(feature = "excel")]
mod hostile_workbooks;
mod market;
#[cfg(feature = "excel")]
mod merged_cells;
mod near_values;
mod needed_columns;
mod passage;
#[cfg(unix)]
mod pipes;
mod preprocess;
mod preprocess_parts;
mod preprocess_properties;
mod prior;
mod read_csv;
#[cfg(feature = "excel")]
mod read_excel;
#[cfg(feature = "parquet")]
mod read_parquet;
mod reader_messages;
mod saved_index;
mod series;
mod shared_files;
mod split;
mod table;
mod tables;
mod target;
mod target_encoder;
mod terminal;
#[cfg(feature = "excel")]
mod workbook;
