//! Numbers or classes.

use std::fmt;
use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

/// What is to be predicted of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Numbers: values, quantiles or distributions.
    Regression,
    /// One of two or more classes.
    Classification,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regression => "regression",
            Self::Classification => "classification",
        })
    }
}

impl FromStr for Task {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        match text {
            "regression" => Ok(Self::Regression),
            "classification" => Ok(Self::Classification),
            _ => Err(ForgeError::config(
                "task",
                text,
                "regression or classification",
            )),
        }
    }
}
