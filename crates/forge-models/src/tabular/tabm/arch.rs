//! What the members share.

use serde::{Deserialize, Serialize};

/// Which weights the members share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TabMArch {
    /// All matrices; each member has factors of its own around each, and its own biases.
    #[default]
    #[serde(rename = "tabm")]
    TabM,
    /// Everything but one factor per input and the output layer.
    #[serde(rename = "tabm-mini")]
    Mini,
    /// Nothing: separate networks, computed together.
    #[serde(rename = "tabm-packed")]
    Packed,
}

/// How the factors on the inputs start: what makes members differ from the first step on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartScaling {
    /// +1 or -1.
    RandomSigns,
    /// Normal, with variance 1.
    Normal,
}

/// What follows a hidden layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TabMActivation {
    /// `max(z, 0)`.
    #[default]
    ReLU,
    /// `z sigmoid(z)`.
    SiLU,
}
