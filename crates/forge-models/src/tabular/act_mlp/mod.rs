#![doc = include_str!("README.md")]

mod config;
mod model;

pub use config::ActMlpConfig;
pub use model::ActMlp;
