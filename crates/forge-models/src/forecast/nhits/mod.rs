#![doc = include_str!("README.md")]

mod activation;
mod block;
mod config;
mod interpolation;
mod model;
mod pooling;

pub use activation::NHitsActivation;
pub use config::NHitsConfig;
pub use interpolation::NHitsInterpolation;
pub use model::NHits;
pub use pooling::NHitsPooling;
