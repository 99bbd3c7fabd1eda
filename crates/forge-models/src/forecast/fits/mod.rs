#![doc = include_str!("README.md")]

mod complex_linear;
mod config;
mod fourier;
mod model;

pub use complex_linear::ComplexLinear;
pub use config::FitsConfig;
pub use model::Fits;
