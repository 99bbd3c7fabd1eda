//! Rows for training, validation and test, such that nothing leaks from one to the other.

mod resolution;
mod row_keys;
mod split_config;
mod stratified;

pub use resolution::DateResolution;
pub use split_config::{Split, SplitConfig};
