//! The position-wise part of a block.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::apply_linear;
use forge_nn::ops::{dropout, reglu};
use serde::{Deserialize, Serialize};

use crate::tabular::dropout::active_rate;

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
            dropout: DropoutConfig::new(dropout).init(),
            linear2: LinearConfig::new(hidden, width).init(device),
            activation,
        }
    }

    /// # Shapes
    /// - x, output: `[B, T, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = self.activation.forward(apply_linear(&self.linear1, x));
        let hidden = dropout(hidden, active_rate(&self.dropout));
        apply_linear(&self.linear2, hidden)
    }
}
