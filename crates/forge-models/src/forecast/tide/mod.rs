#![doc = include_str!("README.md")]

mod config;
mod model;
mod residual_block;

pub use config::TideConfig;
pub use model::Tide;
