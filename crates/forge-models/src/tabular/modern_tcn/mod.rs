#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 3) | here |
//! |---|---|
//! | DWConv, structural re-parameterisation | `Kernels`, [`ModernTcnBackbone::merged`] |
//! | ConvFFN1, ConvFFN2 | `GroupedFfn`, its groups the variables or the features |
//! | ModernTCN block | [`ModernTcnBlock`] |
//! | patchify embedding, stages | [`ModernTcnSeries`] |
//! | blocks over tokens | [`ModernTcnBackbone`] |

mod backbone;
mod block;
mod config;
mod grouped_ffn;
mod kernels;
mod series;
mod sizes;

pub use backbone::ModernTcnBackbone;
pub use block::ModernTcnBlock;
pub use config::ModernTcnConfig;
pub use series::{ModernTcnSeries, ModernTcnSeriesConfig};

/// Tokenizer, [`ModernTcnBackbone`] and head.
pub type ModernTcn = super::TokenModel<ModernTcnBackbone>;

/// The config of [`ModernTcn`].
pub type ModernTcnTableConfig = super::TokenConfig<ModernTcnConfig>;
