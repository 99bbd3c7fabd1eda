#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (arXiv 2106.11959 v5, section 3.2) | here |
//! |---|---|
//! | `ResNetBlock` | [`TabularResNetBlock`] |
//! | `Prediction` | norm and output of [`TabularResNet`] |

mod block;
mod config;
mod model;

pub use block::TabularResNetBlock;
pub use config::TabularResNetConfig;
pub use model::TabularResNet;
