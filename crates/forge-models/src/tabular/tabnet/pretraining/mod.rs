//! Self-supervised pre-training: guess the columns that are hidden.

mod config;
mod decoder;
mod loss;
mod pretrainer;

pub use config::TabNetPretrainerConfig;
pub use decoder::TabNetDecoder;
pub use pretrainer::TabNetPretrainer;
