//! The words of a RealMLP's config.

use serde::{Deserialize, Serialize};

/// How numbers are embedded; see [`RealMlpNumericEmbedding`](super::RealMlpNumericEmbedding).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumEmbedding {
    /// Periodic, with phases, linear, the number appended.
    #[default]
    Pbld,
    /// The same with a ReLU before the number.
    Pblrd,
    /// Periodic, linear, ReLU.
    Plr,
    /// Not at all.
    None,
}

impl NumEmbedding {
    /// Whether waves have phases and the number itself follows: the kinds with a `b` and a `d`.
    pub(super) fn appends_the_number(self) -> bool {
        matches!(self, Self::Pbld | Self::Pblrd)
    }
}

/// What a weight is multiplied by in the forward pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightParam {
    /// `1/√D_in`.
    #[default]
    Ntk,
}

/// How weights start; see [`NtkLinear`](super::NtkLinear).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightInit {
    /// Normal, so that pre-activations of training rows have variance 1.
    #[default]
    Std,
    /// Standard normal.
    Normal,
}

/// How biases start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BiasInit {
    /// From the pre-activations of five training rows.
    #[default]
    #[serde(rename = "he+5")]
    HePlus5,
    /// Standard normal.
    #[serde(rename = "normal")]
    Normal,
}

/// What a hidden layer is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockStr {
    /// Weight, bias, activation, dropout.
    #[default]
    #[serde(rename = "w-b-a-d")]
    WithDropout,
    /// Weight, bias, activation.
    #[serde(rename = "w-b-a")]
    WithoutDropout,
}

/// A step from columns to numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Small categories as columns.
    OneHot,
    /// Minus the median.
    MedianCenter,
    /// Over the distance of the quartiles.
    RobustScale,
    /// Into -3 to 3.
    SmoothClip,
    /// Other categories by tables.
    Embedding,
}

impl Transform {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 5] = [
        Self::OneHot,
        Self::MedianCenter,
        Self::RobustScale,
        Self::SmoothClip,
        Self::Embedding,
    ];
}
