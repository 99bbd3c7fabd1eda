//! A preprocessed table on a device.

mod mask_rows;
mod tabular_batch;
mod tabular_dataset;
mod weights;

pub(crate) use mask_rows::mask_rows;
pub use tabular_batch::TabularBatch;
pub use tabular_dataset::TabularDataset;
pub use weights::sample_weights;
