//! A preprocessed table on a device.

mod tabular_batch;
mod tabular_dataset;
mod weights;

pub use tabular_batch::TabularBatch;
pub use tabular_dataset::TabularDataset;
pub use weights::sample_weights;
