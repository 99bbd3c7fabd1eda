#![doc = include_str!("README.md")]

mod config;
mod head;
mod model;
mod models;

pub use config::PatchConfig;
pub use head::PatchHead;
pub use model::PatchModel;
pub use models::*;
