//! A preprocessed table on a device.

mod tabular_dataset;

pub use tabular_dataset::{TabularBatch, TabularDataset};
