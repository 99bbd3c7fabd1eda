#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (arXiv 1608.06993 v5, section 3) | here |
//! |---|---|
//! | composite function `H`, with or without bottleneck | [`DenseNetLayer`] |
//! | dense connectivity, equation 2 | [`DenseNetBlock`] |
//! | pooling layers, without the pooling | [`DenseNetTransition`] |
//! | classifier | norm and output of [`DenseNet`] |

mod block;
mod config;
mod layer;
mod model;
mod transition;

pub use block::DenseNetBlock;
pub use config::DenseNetConfig;
pub use layer::DenseNetLayer;
pub use model::DenseNet;
pub use transition::DenseNetTransition;
