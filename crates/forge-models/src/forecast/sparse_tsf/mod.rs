#![doc = include_str!("README.md")]

mod config;
mod model;

pub use config::{SparseModelType, SparseTsfConfig};
pub use model::SparseTsf;
