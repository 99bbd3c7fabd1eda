#![doc = include_str!("README.md")]

mod config;
mod decoder;
mod encoder;
mod interpretable_attention;
mod key_map;
mod model;
mod numbers;
mod static_encoder;
mod variable_selection;

pub use config::TftConfig;
pub use model::Tft;
