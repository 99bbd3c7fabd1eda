#![doc = include_str!("README.md")]

mod block;
mod config;
mod model;

pub use block::TsMixerBlock;
pub use config::TsMixerConfig;
pub use model::TsMixer;
