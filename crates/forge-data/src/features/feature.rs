//! A feature and its name.

use serde::{Deserialize, Serialize};

use super::{BarFeature, ChainFeature};
use crate::DataError;

/// What a column is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// The bars of a series up to the row's.
    Bar(BarFeature),
    /// The row of an option chain.
    Chain(ChainFeature),
}

/// A feature under the name of its column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFeature {
    /// The column.
    pub name: String,
    /// What is in it.
    pub feature: Feature,
}

impl NamedFeature {
    pub(super) fn validate(&self) -> Result<(), DataError> {
        let checked = match &self.feature {
            Feature::Bar(feature) => feature.validate(),
            Feature::Chain(feature) => feature.validate(),
        };
        checked.map_err(|error| DataError::config(format!("feature '{}': {error}", self.name)))
    }

    /// The feature as text, to show how two of one name differ.
    pub(super) fn definition(&self) -> String {
        serde_json::to_string(&self.feature).unwrap_or_else(|_| format!("{:?}", self.feature))
    }
}
