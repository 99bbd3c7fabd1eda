//! Every architecture of volatilityforge, and the registry that names them.
//!
//! - [`ModelConfig`] and [`Model`]: any model of table rows, by name.
//! - [`TabularModel`] and [`TabularConfig`]: the contract of models of table rows, and what they
//!   declare ([`Capabilities`]).
//! - [`SeriesModelConfig`] and [`SeriesModel`]: any forecasting model, by name; [`ForecastModel`] and
//!   [`ForecastConfig`] are their contract.
//! - [`Backbone`] and [`TokenModel`]: a stack over tokens as a model of table rows.
//! - [`ReferenceWeights`]: each model reads its authors' checkpoints.
//! - [`Preset`]: sizes and training settings that go together.
//!
//! To add a model: its folder in `tabular/` or `forecast/` and its lines in the `mod.rs` there.

mod builder;
mod contract;
mod encoder_layer;
mod forecast;
mod limits;
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
pub use forecast::*;
pub use pretrained::Pretrained;
pub use reference::{KeyMap, ReferenceWeights};
pub use tabular::*;
