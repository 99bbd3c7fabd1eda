#![doc = include_str!("README.md")]
//!
//! # From the papers' parts to the code's
//!
//! | paper | here |
//! |---|---|
//! | pre-normalisation, RMSNorm (arXiv 1910.07467) | `forge_nn::norm::RmsNorm` |
//! | rotary positions (arXiv 2104.09864) | `forge_nn::position::RotaryEmbedding` |
//! | SwiGLU (arXiv 2002.05202) | `forge_nn::activation::GatedFeedForward` |
//! | grouped-query attention (arXiv 2305.13245), window (arXiv 2310.06825) | `forge_nn::attention::GroupedQueryAttention` |
//! | linear attention (arXiv 2006.16236) | `forge_nn::attention::LinearAttention` |
//! | layer | [`ModernTransformerLayer`] |
//! | stack and last norm | [`ModernTransformerBackbone`] |

mod config;
mod layer;
mod recipe;

pub use config::ModernTransformerConfig;
pub use layer::ModernTransformerLayer;
pub(super) use recipe::{Recipe, swiglu_key_map};

/// [`ModernTransformerLayer`]s and a last RMSNorm, over tokens `[B, T, D]`.
pub type ModernTransformerBackbone =
    super::TransformerStack<ModernTransformerLayer, forge_nn::norm::RmsNorm>;

/// Tokenizer, [`ModernTransformerBackbone`] and head.
pub type ModernTransformer = super::TokenModel<ModernTransformerBackbone>;

/// The config of [`ModernTransformer`].
pub type ModernTransformerTableConfig = super::TokenConfig<ModernTransformerConfig>;
