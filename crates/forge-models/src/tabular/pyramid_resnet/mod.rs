#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (arXiv 1610.02915 v4) | here |
//! |---|---|
//! | equation 3, additive widths | [`PyramidResNetConfig::block_widths`] |
//! | figure 6 (d), the block; section 3.3, zero-padded shortcut | [`PyramidResNetBlock`] |
//! | head | [`PyramidResNet`]; over several stages: this library's |

mod block;
mod config;
mod model;

pub use block::PyramidResNetBlock;
pub use config::PyramidResNetConfig;
pub use model::PyramidResNet;
