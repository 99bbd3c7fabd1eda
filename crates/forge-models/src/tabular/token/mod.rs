//! Columns as tokens, a backbone over them, and a head: written once for every backbone.

mod backbone;
mod carries_state;
mod over_valid;
mod residual_mixers;
mod state_file;
mod state_shape;
mod token_config;
mod token_head;
mod token_model;

pub use backbone::{Backbone, BackboneConfig, Read};
pub use carries_state::CarriesState;
pub(super) use carries_state::through;
pub use over_valid::over_valid;
pub use residual_mixers::{ResidualMixer, ResidualMixers, TokenMixer};
pub(super) use state_shape::{assert_state, empty_state};
pub use token_config::TokenConfig;
pub(super) use token_config::{TokenColumns, column_fields};
pub use token_head::TokenHead;
pub use token_model::TokenModel;
