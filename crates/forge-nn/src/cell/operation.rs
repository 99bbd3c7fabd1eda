//! What may stand on an edge of a cell.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ForgeError;

/// An operation from tokens `[B, T, D]` to tokens of the same shape. Rows of a table are one token
/// each.
///
/// Written by its [name](Self::name); `LN` is a layer normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Operation {
    /// `none`: 0, the edge is not there.
    None,
    /// `skip_connect`: `x`.
    SkipConnect,
    /// `linear_relu`: `ReLU(W x + b)`.
    LinearRelu,
    /// `linear_silu`: `SiLU(W x + b)`.
    LinearSilu,
    /// `linear_tanh`: `tanh(W x + b)`.
    LinearTanh,
    /// `linear_gelu`: `GELU(W x + b)`.
    LinearGelu,
    /// `gated_linear`: `(W₁ x + b₁) ∘ σ(W₂ x + b₂)`.
    GatedLinear,
    /// `residual_linear`: `x + ReLU(W LN(x) + b)`.
    ResidualLinear,
    /// `separable_conv_3`: `SiLU(W c(x) + b)`, `c` a filter over 3 tokens for each feature.
    SeparableConv3,
    /// `separable_conv_5`: the same over 5 tokens.
    SeparableConv5,
    /// `separable_conv_7`: the same over 7 tokens.
    SeparableConv7,
    /// `average_pool_3`: the mean of the token and its neighbours.
    AveragePool3,
    /// `self_attention`: multi-head attention over `LN(x)`, of as many heads of 4, 2 and 1 as divide the
    /// width.
    SelfAttention,
    /// `feed_forward`: `W₂ GELU(W₁ LN(x) + b₁) + b₂`, twice as wide inside.
    FeedForward,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::None,
        Self::SkipConnect,
        Self::LinearRelu,
        Self::LinearSilu,
        Self::LinearTanh,
        Self::LinearGelu,
        Self::GatedLinear,
        Self::ResidualLinear,
        Self::SeparableConv3,
        Self::SeparableConv5,
        Self::SeparableConv7,
        Self::AveragePool3,
        Self::SelfAttention,
        Self::FeedForward,
    ];

    /// Those that treat every token alone: for rows of tables.
    pub const ROWS: [Self; 8] = [
        Self::None,
        Self::SkipConnect,
        Self::LinearRelu,
        Self::LinearSilu,
        Self::LinearTanh,
        Self::LinearGelu,
        Self::GatedLinear,
        Self::ResidualLinear,
    ];

    /// Those for sequences.
    pub const TOKENS: [Self; 8] = [
        Self::None,
        Self::SkipConnect,
        Self::SeparableConv3,
        Self::SeparableConv5,
        Self::SeparableConv7,
        Self::AveragePool3,
        Self::SelfAttention,
        Self::FeedForward,
    ];

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SkipConnect => "skip_connect",
            Self::LinearRelu => "linear_relu",
            Self::LinearSilu => "linear_silu",
            Self::LinearTanh => "linear_tanh",
            Self::LinearGelu => "linear_gelu",
            Self::GatedLinear => "gated_linear",
            Self::ResidualLinear => "residual_linear",
            Self::SeparableConv3 => "separable_conv_3",
            Self::SeparableConv5 => "separable_conv_5",
            Self::SeparableConv7 => "separable_conv_7",
            Self::AveragePool3 => "average_pool_3",
            Self::SelfAttention => "self_attention",
            Self::FeedForward => "feed_forward",
        }
    }

    /// The operation called `name`.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn named(name: &str) -> Result<Self, ForgeError> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            ForgeError::config("operation", name, format!("one of {names}"))
        })
    }

    /// Whether a token's output depends on other tokens.
    #[must_use]
    pub fn mixes_tokens(self) -> bool {
        self.kernel_size().is_some() || matches!(self, Self::AveragePool3 | Self::SelfAttention)
    }

    /// Whether there is something to learn.
    #[must_use]
    pub fn has_weights(self) -> bool {
        self.parameter_count(1) > 0
    }

    /// Number of trainable parameters on tokens `width` wide.
    #[must_use]
    pub fn parameter_count(self, width: usize) -> usize {
        let linear = |from: usize, to: usize| (from + 1) * to;
        let norm = 2 * width;
        match self {
            Self::None | Self::SkipConnect | Self::AveragePool3 => 0,
            Self::LinearRelu | Self::LinearSilu | Self::LinearTanh | Self::LinearGelu => {
                linear(width, width)
            }
            Self::GatedLinear => linear(width, 2 * width),
            Self::ResidualLinear => norm + linear(width, width),
            Self::SeparableConv3 | Self::SeparableConv5 | Self::SeparableConv7 => {
                let taps = self.kernel_size().unwrap_or(0);
                taps * width + linear(width, width)
            }
            Self::SelfAttention => norm + linear(width, 3 * width) + linear(width, width),
            Self::FeedForward => norm + linear(width, 2 * width) + linear(2 * width, width),
        }
    }

    /// Tokens that its filter covers, if it has one.
    pub(super) fn kernel_size(self) -> Option<usize> {
        match self {
            Self::SeparableConv3 => Some(3),
            Self::SeparableConv5 => Some(5),
            Self::SeparableConv7 => Some(7),
            _ => None,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Operation {
    type Error = ForgeError;

    fn try_from(name: String) -> Result<Self, ForgeError> {
        Self::named(&name)
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> Self {
        operation.name().into()
    }
}
