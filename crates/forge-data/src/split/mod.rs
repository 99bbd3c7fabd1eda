//! Rows for training, validation and test, such that nothing leaks from one to the other.

mod row_keys;
mod split_config;
mod stratified;

pub use split_config::{Split, SplitConfig};
