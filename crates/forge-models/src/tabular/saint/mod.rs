#![doc = include_str!("README.md")]
//!
//! # From the paper to the code
//!
//! | paper | here |
//! |---|---|
//! | embedding of categories and numbers (section 3) | [`SaintTokenizer`] |
//! | self-attention and intersample attention, each with its feed-forward part (sections 3, 3.1) | [`SaintBlock`] |
//! | a stage of both (equation 1) | [`SaintLayer`] |
//! | the stack | [`SaintEncoder`] |
//! | prediction from CLS | [`Saint`] |
//! | CutMix and mixup (equation 4) | [`SaintCorruption`] |
//! | pre-training (equation 5) | [`SaintPretrainer`] |

mod attention;
mod block;
mod config;
mod encoder;
mod key_map;
mod layer;
mod model;
mod neighbours;
mod numeric;
mod pretrain;
mod tokenizer;
mod two_layers;

pub use block::SaintBlock;
pub use config::{SaintAttentionType, SaintConfig, SaintDenoisingHeads};
pub use encoder::SaintEncoder;
pub use layer::SaintLayer;
pub use model::Saint;
pub use pretrain::{SaintCorruption, SaintPretrainer, SaintPretrainerConfig};
pub use tokenizer::SaintTokenizer;
use two_layers::TwoLayers;
