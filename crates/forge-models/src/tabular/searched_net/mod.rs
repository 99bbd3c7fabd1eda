#![doc = include_str!("README.md")]

mod backbone;
mod backbone_config;
mod cell_stack;
mod config;
mod model;
mod usual_cells;

pub use backbone::SearchedBackbone;
pub use backbone_config::SearchedBackboneConfig;
pub use cell_stack::CellStack;
pub use config::SearchedNetConfig;
pub use model::SearchedNet;

/// Tokenizer, [`SearchedBackbone`] and head.
pub type SearchedTokens = super::TokenModel<SearchedBackbone>;

/// The config of [`SearchedTokens`].
pub type SearchedTokensConfig = super::TokenConfig<SearchedBackboneConfig>;
