#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (sections 6 and 7) | here |
//! |---|---|
//! | SSD, chunked | `forge_nn::ops::ssd` |
//! | block of figure 6, right | [`Mamba2Mixer`] |
//! | stack with norm and residual | [`Mamba2Backbone`] |

mod config;
mod mixer;

pub use config::Mamba2BackboneConfig;
pub use mixer::{Mamba2Mixer, Mamba2State};

/// [`Mamba2Mixer`]s with norm and residual.
pub type Mamba2Backbone = super::ResidualMixers<Mamba2Mixer>;

/// Tokenizer, [`Mamba2Backbone`] and head.
pub type Mamba2 = super::TokenModel<Mamba2Backbone>;

/// Makes a [`Mamba2`].
pub type Mamba2Config = super::TokenConfig<Mamba2BackboneConfig>;
