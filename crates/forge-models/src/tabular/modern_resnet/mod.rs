#![doc = include_str!("README.md")]
//!
//! # From the papers' parts to the code's
//!
//! | paper | here |
//! |---|---|
//! | `ResNetBlock` (arXiv 2106.11959 v5, section 3.2) | [`ModernResNetBlock`] |
//! | squeeze and excitation (arXiv 1709.01507) | `forge_nn::gating::SqueezeExcitation` |
//! | LayerScale (arXiv 2103.17239) | `forge_nn::norm::LayerScale` |
//! | stochastic depth (arXiv 1603.09382) | `forge_nn::regularisation::DropPath` |
//! | `Prediction` | norm and output of [`ModernResNet`] |

mod activation;
mod block;
mod config;
mod model;

pub use activation::ModernResNetActivation;
pub use block::ModernResNetBlock;
pub use config::ModernResNetConfig;
pub use model::ModernResNet;
