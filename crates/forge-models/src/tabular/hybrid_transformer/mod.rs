#![doc = include_str!("README.md")]
//!
//! # From the papers' parts to the code's
//!
//! | paper | here |
//! |---|---|
//! | layers of alternating attention | [`HybridTransformerConfig::layer_attention`] |
//! | layer and stack | those of [`ModernTransformer`](super::ModernTransformer) |

mod config;

pub use config::HybridTransformerConfig;

/// The stack of [`ModernTransformer`](super::ModernTransformer), its layers of several kinds.
pub type HybridTransformerBackbone = super::ModernTransformerBackbone;

/// Tokenizer, [`HybridTransformerBackbone`] and head.
pub type HybridTransformer = super::TokenModel<HybridTransformerBackbone>;

/// The config of [`HybridTransformer`].
pub type HybridTransformerTableConfig = super::TokenConfig<HybridTransformerConfig>;
