//! Sizes and training settings that go together, as data.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

/// How much work training may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Small models, few epochs: to see that everything works.
    Fast,
    /// Models that a laptop trains in minutes.
    #[default]
    Balanced,
    /// The largest sizes here, those of the model's paper where it states one (the preset's
    /// [source](TrainingPreset::source) says), with patience to match.
    Accurate,
}

const NAMES: [(Strategy, &str); 3] = [
    (Strategy::Fast, "fast"),
    (Strategy::Balanced, "balanced"),
    (Strategy::Accurate, "accurate"),
];

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = NAMES.iter().find(|(strategy, _)| strategy == self);
        f.write_str(text.map_or("", |(_, text)| text))
    }
}

impl FromStr for Strategy {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(strategy, _)| *strategy)
            .ok_or_else(|| ForgeError::config("strategy", text, "fast, balanced or accurate"))
    }
}

/// A model of one [`Strategy`] and how to train it.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset<C> {
    /// The architecture; what depends on the table is not set.
    pub config: C,
    /// How to train it.
    pub training: TrainingPreset,
}

impl<C> Preset<C> {
    /// The same with another kind of config.
    pub fn map<D>(self, change: impl FnOnce(C) -> D) -> Preset<D> {
        Preset {
            config: change(self.config),
            training: self.training,
        }
    }
}

/// Training settings that belong to a model, as data: nothing here trains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingPreset {
    /// Highest learning rate of AdamW, above 0.
    pub learning_rate: f64,
    /// Decoupled weight decay, at least 0.
    pub weight_decay: f64,
    /// Rows per optimiser step; absent: by the table's length.
    pub batch_size: Option<usize>,
    /// Factor on the usual number of optimiser steps, above 0.
    pub steps: f64,
    /// Where the numbers are from.
    pub source: &'static str,
}
