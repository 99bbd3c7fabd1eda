#![doc = include_str!("README.md")]
//!
//! # From the paper's parts to the code's
//!
//! | paper (section 3) | here |
//! |---|---|
//! | reading, writing (equations 2 to 4) | [`NtmReadHead`], [`NtmWriteHead`] |
//! | addressing (equations 5 to 9) | [`NtmAddresses`] |
//! | controller | `forge_nn::recurrent::Lstm` |
//! | the machine | [`NtmBackbone`], its state [`NtmState`] |

mod addressing;
mod backbone;
mod config;
mod head;
mod state;

pub use addressing::NtmAddresses;
pub use backbone::NtmBackbone;
pub use config::NtmConfig;
pub use head::{NtmHeadConfig, NtmReadHead, NtmWriteHead, NtmWritten};
pub use state::NtmState;

/// Tokenizer, [`NtmBackbone`] and head.
pub type Ntm = super::TokenModel<NtmBackbone>;

/// The config of [`Ntm`].
pub type NtmTableConfig = super::TokenConfig<NtmConfig>;
