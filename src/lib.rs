//! volatilityforge
#[cfg(feature = "baselines")]
pub mod baseline;
mod error;
#[cfg(feature = "report")]
pub mod report;

pub use error::Error;
