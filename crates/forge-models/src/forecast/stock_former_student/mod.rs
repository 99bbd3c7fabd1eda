#![doc = include_str!("README.md")]

mod config;
mod model;

pub use config::StockFormerStudentConfig;
pub use model::StockFormerStudent;
