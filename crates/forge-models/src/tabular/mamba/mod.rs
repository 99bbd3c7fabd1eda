#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (sections 3.2 to 3.4) | here |
//! |---|---|
//! | selective SSM, algorithm 2 | `forge_nn::ops::selective_scan` |
//! | block of figure 3 | [`MambaMixer`] |
//! | stack with norm and residual | [`MambaBackbone`] |

mod config;
mod first_steps;
mod mixer;

pub use config::MambaBackboneConfig;
pub(super) use first_steps::first_steps;
pub use mixer::{MambaMixer, MambaState};

/// [`MambaMixer`]s with norm and residual.
pub type MambaBackbone = super::ResidualMixers<MambaMixer>;

/// Tokenizer, [`MambaBackbone`] and head.
pub type Mamba = super::TokenModel<MambaBackbone>;

/// Makes a [`Mamba`].
pub type MambaConfig = super::TokenConfig<MambaBackboneConfig>;
