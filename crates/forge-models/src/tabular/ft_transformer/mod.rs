#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 3.3) | here |
//! |---|---|
//! | Feature Tokenizer | `forge_nn::FeatureTokenizer` |
//! | Transformer layer | [`FtTransformerBlock`]: `forge_nn::attention::MultiHeadAttention`, `feed_forward` |
//! | stack of layers | [`FtTransformerBackbone`] |
//! | prediction | `TokenHead` on the CLS token |

mod backbone;
mod block;
mod config;
mod feed_forward;

pub use backbone::FtTransformerBackbone;
pub use block::FtTransformerBlock;
pub use config::FtTransformerConfig;
pub use feed_forward::FfnActivation;

/// Tokenizer, [`FtTransformerBackbone`] and head.
pub type FtTransformer = super::TokenModel<FtTransformerBackbone>;
