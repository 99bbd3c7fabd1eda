//! What a file of predictions holds.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

/// What a file of predictions holds beside the predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputColumns {
    /// Everything that the input holds, as it is written there.
    #[default]
    All,
    /// Nothing.
    Predictions,
}

impl fmt::Display for OutputColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Predictions => "predictions",
        })
    }
}

impl FromStr for OutputColumns {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        match text {
            "all" => Ok(Self::All),
            "predictions" => Ok(Self::Predictions),
            _ => Err(ForgeError::config("columns", text, "all or predictions")),
        }
    }
}
