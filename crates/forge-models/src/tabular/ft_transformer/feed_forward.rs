//! The position-wise part of a block.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::reglu;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};
use serde::{Deserialize, Serialize};

/// What stands between the two layers of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FfnActivation {
    /// First half times the rectified second half; the first layer is twice as wide for it. The
    /// paper's.
    ReGLU,
    /// `max(x, 0)`.
    ReLU,
}

impl FfnActivation {
    /// Width of the first layer's output for a hidden width.
    pub(super) fn input_width(self, hidden: usize) -> usize {
        match self {
            Self::ReGLU => 2 * hidden,
            Self::ReLU => hidden,
        }
    }

    fn forward(self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::ReGLU => reglu(x),
            Self::ReLU => relu(x),
        }
    }
}

/// `Linear(Dropout(activation(Linear(x))))`.
#[derive(Module, Debug)]
pub(super) struct FeedForward {
    linear1: Linear,
    dropout: Dropout,
    linear2: Linear,
    #[module(skip)]
    activation: FfnActivation,
}

impl FeedForward {
    pub(super) fn new(
        width: usize,
        hidden: usize,
        activation: FfnActivation,
        dropout: f64,
        device: &Device,
    ) -> Self {
        Self {
            linear1: LinearConfig::new(width, activation.input_width(hidden)).init(device),
            dropout: DropoutConfig::new(dropout).build(device),
            linear2: LinearConfig::new(hidden, width).init(device),
            activation,
        }
    }

    /// # Shapes
    /// - x, output: `[B, T, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = self.activation.forward(self.linear1.forward(x));
        self.linear2.forward(self.dropout.forward(hidden))
    }
}
