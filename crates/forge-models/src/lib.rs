//! Every architecture of volatilityforge, and the registry that names them.
//!
//! - [`ModelConfig`] and [`Model`]: any model of table rows, by name.
//! - [`TabularModel`] and [`TabularConfig`]: the contract of models of table rows, and what they
//!   declare ([`Capabilities`]).
//! - [`Backbone`] and [`TokenModel`]: a stack over tokens as a model of table rows.
//! - [`ReferenceWeights`]: each model reads its authors' checkpoints.
//! - [`Preset`]: sizes and training settings that go together.
//!
//! To add a model: its folder in `tabular/` and its lines in `tabular/mod.rs`.

mod builder;
mod contract;
mod pretrained;
mod reference;
mod registry;
mod tabular;

pub use builder::ModelBuilder;
pub use contract::{
    Capabilities, Context, LabelledRows, Labels, ParameterCount, Preset, Recipe, RowContext,
    Shrink, Strategy, TabularConfig, TabularInput, TabularModel, TabularRows, TabularSpec,
    TargetKind, TrainingContext, TrainingPreset, TrainingRows,
};
pub use pretrained::Pretrained;
pub use reference::{KeyMap, ReferenceWeights};
pub use tabular::*;
