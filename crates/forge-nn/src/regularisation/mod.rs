//! What acts in training only.

mod drop_path;

pub use burn::nn::{Dropout, DropoutConfig};
pub use drop_path::{DropPath, DropPathConfig, linear_drop_rates};
