//! How much work a fit may be.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

/// Model sizes and training lengths that go together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Small models, few epochs: to see that everything works.
    Fast,
    /// Models a laptop trains in minutes.
    #[default]
    Balanced,
    /// The papers' sizes and patience to match.
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
