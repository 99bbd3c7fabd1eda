//! Contrastive and denoising pre-training: rows without targets.

mod config;
mod corruption;
mod heads;
mod losses;
mod pretrainer;

pub use config::SaintPretrainerConfig;
pub use corruption::SaintCorruption;
pub use pretrainer::SaintPretrainer;
