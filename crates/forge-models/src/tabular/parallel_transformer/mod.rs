#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 2) | here |
//! |---|---|
//! | parallel layers, SwiGLU | [`ParallelTransformerLayer`] |
//! | multi-query attention, RoPE | `forge_nn::attention::GroupedQueryAttention` |
//! | no biases | in no layer and no norm |
//! | stack and last norm | [`ParallelTransformerBackbone`] |

mod config;
mod layer;

pub use config::ParallelTransformerConfig;
pub use layer::ParallelTransformerLayer;

/// [`ParallelTransformerLayer`]s and a last LayerNorm, over tokens `[B, T, D]`.
pub type ParallelTransformerBackbone =
    super::TransformerStack<ParallelTransformerLayer, forge_nn::norm::LayerNorm>;

/// Tokenizer, [`ParallelTransformerBackbone`] and head.
pub type ParallelTransformer = super::TokenModel<ParallelTransformerBackbone>;

/// The config of [`ParallelTransformer`].
pub type ParallelTransformerTableConfig = super::TokenConfig<ParallelTransformerConfig>;
