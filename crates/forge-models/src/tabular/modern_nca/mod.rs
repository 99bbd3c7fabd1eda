#![doc = include_str!("README.md")]
//!
//! # From the paper to the code
//!
//! | paper (section 4) | here |
//! |---|---|
//! | periodic embeddings of numbers | [`EmbeddedColumns`](crate::EmbeddedColumns) |
//! | the learned map φ: linear, then blocks | encoder and [`ModernNcaBlock`] |
//! | soft nearest neighbours, eqs. 3 and 4 | head of [`ModernNca`] |
//! | stochastic neighbourhood sampling | [`ModernNcaConfig::sample_rate`] |

mod block;
mod config;
mod head;
mod model;

pub use block::ModernNcaBlock;
pub use config::ModernNcaConfig;
pub use model::ModernNca;
