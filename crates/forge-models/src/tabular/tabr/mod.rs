#![doc = include_str!("README.md")]
//!
//! # From the paper to the code
//!
//! | paper (section 3) | here |
//! |---|---|
//! | input module, encoder E | [`EmbeddedColumns`](crate::EmbeddedColumns), [`TabRBlock`]s |
//! | retrieval module R: similarities, top m, softmax | [`TabRRetrieval`], exact search |
//! | value module V = label embedding + T(k - k_i) | [`TabRRetrieval`] |
//! | predictor P | [`TabRBlock`]s, head of [`TabR`] |

mod block;
mod config;
mod label_encoder;
mod model;
mod retrieval;
mod search;

pub use block::TabRBlock;
pub use config::{MixerNormalization, MixerRule, TabRActivation, TabRConfig, TabRNormalization};
pub use label_encoder::{TabRClassVectors, TabRLabelEncoder};
pub use model::TabR;
pub use retrieval::TabRRetrieval;
