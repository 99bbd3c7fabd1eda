#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 2) | here |
//! |---|---|
//! | hypernetworks | `Hypernetwork` |
//! | HyperMixing | [`HyperMixing`] |
//! | layer: token mixing, feature mixing | [`HyperMixerLayer`] |
//! | stack | [`HyperMixerBackbone`] |

mod backbone;
mod config;
mod hypernetwork;
mod layer;
mod mixing;

pub use backbone::HyperMixerBackbone;
pub use config::HyperMixerConfig;
pub use layer::HyperMixerLayer;
pub use mixing::{HyperMixing, HyperMixingConfig};

/// Tokenizer, [`HyperMixerBackbone`] and head.
pub type HyperMixer = super::TokenModel<HyperMixerBackbone>;

/// The config of [`HyperMixer`].
pub type HyperMixerTableConfig = super::TokenConfig<HyperMixerConfig>;
