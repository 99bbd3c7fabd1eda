#![doc = include_str!("README.md")]

mod config;
mod model;

pub use config::NLinearConfig;
pub use model::NLinear;
