#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (arXiv 2407.04491) | here |
//! |---|---|
//! | robust scaling and smooth clipping | [`RobustScale`] |
//! | one-hot encoding of small categories, embeddings of large ones | [`OneHot`], [`RealMlpColumns`] |
//! | PBLD embeddings | [`RealMlpNumericEmbedding`] |
//! | diagonal weight layer | `front_scale` of [`RealMlp`] |
//! | neural tangent parametrisation, initialisation from data | [`NtkLinear`] |
//! | parametric activation functions | [`ParametricActivation`] |
//! | clipped outputs | [`OutputRange`] |
//! | tuned defaults: rates, schedules, label smoothing | [`TabularConfig::preset_for`](crate::TabularConfig::preset_for), [`TabularConfig::recipe`](crate::TabularConfig::recipe) |

mod activation;
mod columns;
mod config;
mod key_map;
mod layer;
mod model;
mod numeric_embedding;
mod one_hot;
mod options;
mod output_range;
mod preset;
mod robust_scale;

pub use activation::{ParametricActivation, RealMlpActivation};
pub use columns::RealMlpColumns;
pub use config::RealMlpConfig;
pub use layer::NtkLinear;
pub use model::RealMlp;
pub use numeric_embedding::RealMlpNumericEmbedding;
pub use one_hot::OneHot;
pub use options::{
    BiasInit as RealMlpBiasInit, BlockStr as RealMlpBlock, NumEmbedding as RealMlpNumEmbedding,
    Transform as RealMlpTransform, WeightInit as RealMlpWeightInit,
    WeightParam as RealMlpWeightParam,
};
pub use output_range::OutputRange;
pub use robust_scale::RobustScale;
