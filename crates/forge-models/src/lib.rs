//! Every architecture of volatilityforge, and the registry that names them.
//!
//! - [`ModelConfig`] and [`Model`]: any model, by name.
//! - [`TabularModel`] and [`TabularConfig`]: the contract of models of table rows, and what they
//!   declare ([`Capabilities`]).
//! - [`ReferenceWeights`]: each model reads its authors' checkpoints.
//!
//! To add a model: its file in `tabular/`, and its line in `registry.rs`.

mod builder;
mod contract;
mod reference;
mod registry;
mod tabular;

pub use builder::ModelBuilder;
pub use contract::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};
pub use reference::{KeyMap, ReferenceWeights};
pub use registry::{Model, ModelConfig};
pub use tabular::{
    Backbone, FfnActivation, FtTransformer, FtTransformerBackbone, FtTransformerBlock,
    FtTransformerConfig, TabularMlp, TabularMlpConfig, TabularResNet, TabularResNetBlock,
    TabularResNetConfig, TokenHead, TokenModel,
};
