#![doc = include_str!("README.md")]
//!
//! # From the paper to the code
//!
//! | paper (methods, "Architecture") and reference | here |
//! |---|---|
//! | tokens of feature groups, normalised by the labelled rows | [`TabPfnV2`], its cells |
//! | random feature embedding through a linear map | [`TabPfnV2::with_feature_positions`] |
//! | token of the target | [`TabPfnV2`], its labels |
//! | attention over features, attention over samples, MLP | [`TabPfnV2Layer`] of [`SharedHeadAttention`] |
//! | piece-wise constant output distribution | head of [`TabPfnV2`]: logits |
//! | ensemble at inference, as the package's estimators | [`TabPfnV2Ensemble`] |

mod attention;
mod cells;
mod config;
mod ensemble;
mod key_map;
mod labels;
mod layer;
mod model;
mod positions;

pub use attention::SharedHeadAttention;
pub use config::TabPfnV2Config;
pub use ensemble::{TabPfnV2Ensemble, TabPfnV2EnsembleConfig};
pub use layer::TabPfnV2Layer;
pub use model::TabPfnV2;
