#![doc = include_str!("README.md")]

mod config;
mod model;
mod moving_average;

pub use config::DLinearConfig;
pub use model::DLinear;
pub(crate) use moving_average::moving_average;
