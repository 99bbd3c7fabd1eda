#![doc = include_str!("README.md")]

mod config;
mod model;

pub use config::TabularMlpConfig;
pub use model::TabularMlp;
