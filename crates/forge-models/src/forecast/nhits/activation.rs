//! What stands between the layers of a block.

use burn::tensor::Tensor;
use forge_nn::activation::{leaky_relu, relu, selu, sigmoid, softplus, tanh};
use serde::{Deserialize, Serialize};

/// PyTorch's default slope below 0.
const LEAK: f64 = 0.01;

/// What stands between the layers of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NHitsActivation {
    /// `max(x, 0)`, the paper's.
    #[default]
    ReLU,
    /// `ln(1 + e^x)`.
    Softplus,
    /// Hyperbolic tangent.
    Tanh,
    /// Self-normalising.
    SELU,
    /// `max(x, 0.01 x)`.
    LeakyReLU,
    /// Logistic.
    Sigmoid,
}

impl NHitsActivation {
    pub(super) fn forward(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::ReLU => relu(x),
            Self::Softplus => softplus(x),
            Self::Tanh => tanh(x),
            Self::SELU => selu(x),
            Self::LeakyReLU => leaky_relu(x, LEAK),
            Self::Sigmoid => sigmoid(x),
        }
    }
}
