#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (arXiv 1908.07442 v5) | here |
//! |---|---|
//! | figure 4 (a), the encoder | [`TabNetEncoder`] |
//! | BN on the raw features; trainable embeddings | `norm` of the encoder; [`TabNetColumns`] |
//! | figure 4 (c), feature transformer | [`FeatureTransformer`] of [`GluLayer`]s |
//! | figure 4 (d), attentive transformer; equation 1 | [`AttentiveTransformer`], [`MaskType`] |
//! | ghost BN | [`GhostBatchNorm`] |
//! | figure 4 (b), the decoder | [`TabNetDecoder`] |
//! | tabular self-supervised learning | [`TabNetPretrainer`] |
//! | sparsity regularisation `L_sparse` | [`Forward::penalty`](forge_nn::Forward::penalty) |
//! | aggregate feature importance mask | [`Maps::importance`](forge_nn::Maps::importance) |

mod columns;
mod config;
mod encoder;
mod feature_transformer;
mod ghost_batch_norm;
mod key_map;
mod linear;
mod mask_type;
mod model;
mod pretraining;

pub use columns::TabNetColumns;
pub use config::TabNetConfig;
pub use encoder::{AttentiveTransformer, TabNetEncoder, TabNetStep};
pub use feature_transformer::{FeatureTransformer, GluLayer};
pub use ghost_batch_norm::GhostBatchNorm;
pub use mask_type::MaskType;
pub use model::TabNet;
pub use pretraining::{TabNetDecoder, TabNetPretrainer, TabNetPretrainerConfig};
