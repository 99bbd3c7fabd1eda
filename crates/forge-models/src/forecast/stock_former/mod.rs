#![doc = include_str!("README.md")]

mod causal_convolutions;
mod config;
mod cross_modal;
mod gated_block;
mod heads;
mod key_map;
mod model;
mod patches;

pub use config::StockFormerConfig;
pub(super) use heads::{head_name, outputs_of_heads};
pub use model::StockFormer;
pub(super) use patches::{patch_width, patches};
