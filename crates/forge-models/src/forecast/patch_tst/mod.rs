#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 3.1) | here |
//! |---|---|
//! | instance normalisation | `RevIn`, without a scale of its own |
//! | patching | `Patching` |
//! | projection and position | `PatchTst::embed` |
//! | transformer encoder, batch norm, residual attention | [`PatchTstLayer`] |
//! | flatten and linear head | `StepsLinear` |

mod attention;
mod config;
mod key_map;
mod layer;
mod model;

pub use attention::ResidualAttention;
pub use config::PatchTstConfig;
pub use layer::PatchTstLayer;
pub use model::PatchTst;
