#![doc = include_str!("README.md")]

mod config;
mod layer;
mod model;

pub use config::ITransformerConfig;
pub use layer::ITransformerLayer;
pub use model::ITransformer;
