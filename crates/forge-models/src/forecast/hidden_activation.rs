//! What stands between the two layers of a feed-forward part.

use forge_nn::ops::LinearActivation;
use serde::{Deserialize, Serialize};

/// What stands between the two layers of a feed-forward part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenActivation {
    /// `x Φ(x)`, exact.
    #[default]
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

impl From<HiddenActivation> for LinearActivation {
    fn from(activation: HiddenActivation) -> Self {
        match activation {
            HiddenActivation::Gelu => Self::Gelu,
            HiddenActivation::Relu => Self::Relu,
        }
    }
}
