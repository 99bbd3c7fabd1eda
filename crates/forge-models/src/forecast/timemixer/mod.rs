#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 3) | here |
//! |---|---|
//! | multiscale series | `Scales` |
//! | past-decomposable-mixing | [`PastDecomposableMixing`] |
//! | bottom-up and top-down mixing | `ScaleMixing` |
//! | future-multipredictor-mixing | [`TimeMixer`], the sum over scales |

mod block;
mod config;
mod key_map;
mod mixing;
mod model;
mod scales;
mod two_layers;

pub use block::PastDecomposableMixing;
pub use config::{DownSampling, TimeMixerConfig};
pub use model::TimeMixer;
