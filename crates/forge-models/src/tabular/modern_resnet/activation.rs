//! The activations of the modern residual network.

use burn::tensor::Tensor;
use forge_nn::activation::{gelu, relu, silu};
use forge_nn::ops::LinearActivation;
use serde::{Deserialize, Serialize};

/// What stands between the linear maps of a block, and before the last map of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModernResNetActivation {
    /// The exact (erf) GELU.
    #[default]
    Gelu,
    /// `max(x, 0)`, that of the plain residual network.
    Relu,
    /// `x σ(x)`.
    Silu,
}

impl ModernResNetActivation {
    pub(super) fn fused(self) -> LinearActivation {
        match self {
            Self::Gelu => LinearActivation::Gelu,
            Self::Relu => LinearActivation::Relu,
            Self::Silu => LinearActivation::Silu,
        }
    }

    pub(super) fn of(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gelu => gelu(x),
            Self::Relu => relu(x),
            Self::Silu => silu(x),
        }
    }
}
