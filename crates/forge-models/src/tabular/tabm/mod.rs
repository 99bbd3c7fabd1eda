#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (arXiv 2410.24210 v3) | here |
//! |---|---|
//! | BatchEnsemble layer, equation 5 of Wen et al. 2020 | [`ScaledLinear`] |
//! | TabM, TabM-mini, TabM-packed (section 3.2) | [`TabMArch`], [`TabMLayer`] |
//! | start of the first adapter (sections 3.2, A.2) | [`StartScaling`] |
//! | the `k` prediction heads | output of [`TabM`] |
//! | mean of the losses (section 3.3) | `forge_train`'s `Objective::loss`, over [`Forward::members`](forge_nn::Forward::members) |

mod adapter;
mod arch;
mod config;
mod layer;
mod model;

pub use arch::{StartScaling, TabMActivation, TabMArch};
pub use config::TabMConfig;
pub use layer::{ScaledLinear, TabMLayer};
pub use model::TabM;
