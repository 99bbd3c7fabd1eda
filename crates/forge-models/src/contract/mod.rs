//! What every model of table rows is, takes and declares.

mod capabilities;
mod labelled;
mod preset;
mod recipe;
mod shrink;
mod spec;
mod tabular_config;
mod tabular_input;
mod tabular_model;
mod training_rows;

pub use capabilities::{Capabilities, RowContext};
pub use labelled::{LabelledRows, Labels, TrainingContext};
pub use preset::{Preset, Strategy, TrainingPreset};
pub use recipe::{Recipe, TargetKind};
pub use shrink::Shrink;
pub use spec::TabularSpec;
pub(crate) use spec::{numeric_only, takes_numbers};
pub use tabular_config::{ParameterCount, TabularConfig};
pub(crate) use tabular_input::check_codes;
pub use tabular_input::{Context, TabularInput, TabularRows};
pub use tabular_model::TabularModel;
pub use training_rows::TrainingRows;
