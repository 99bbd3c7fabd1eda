//! How a model wants to be trained, beyond the numbers that every preset has.

use serde_json::{Map, Value};

/// What kind of target a model is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// Numbers: regression, quantiles, distributions.
    Numbers,
    /// Two or more classes.
    Classes,
}

/// What a model's preset sets beyond a [`TrainingPreset`](crate::TrainingPreset), as data in the form of a
/// settings file: nothing here knows what it means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipe {
    /// Fields of the trainer's config that take the place of what is usual for all models, null for
    /// none: `{"early_stopping": null, "ema": null}`. Empty: trained as usual.
    pub trainer: Map<String, Value>,
    /// Fields of the objective that is taken where the user names none: `{"label_smoothing": 0.1}`.
    pub objective: Map<String, Value>,
}

impl Recipe {
    /// A recipe of two JSON objects, each empty for nothing (or null, or anything that is no object).
    #[must_use]
    pub fn new(trainer: Value, objective: Value) -> Self {
        let fields = |value| match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self {
            trainer: fields(trainer),
            objective: fields(objective),
        }
    }
}
