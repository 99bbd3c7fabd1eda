//! Processing behind a gate.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use forge_nn::activation::elu;
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::StockFormerConfig;

/// `LN(g ∘ W_2 elu(W_1 x) + (1 - g) ∘ x)`, `g = σ(W x)`.
#[derive(Module, Debug)]
pub(super) struct GatedBlock {
    fc1: Linear,
    fc2: Linear,
    gate: Linear,
    norm: LayerNorm,
    dropout: Dropout,
}

impl GatedBlock {
    pub(super) fn new(config: &StockFormerConfig, device: &Device) -> Self {
        let (width, hidden) = (config.d_model, config.ffn_dim);
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            fc1: linear(width, hidden),
            fc2: linear(hidden, width),
            gate: linear(width, width),
            norm: LayerNormConfig::new(width).build(device),
            dropout: DropoutConfig::new(config.dropout).build(device),
        }
    }

    pub(super) fn parameter_count(config: &StockFormerConfig) -> usize {
        let (width, hidden) = (config.d_model, config.ffn_dim);
        (width + 1) * hidden + (hidden + 1) * width + (width + 1) * width + 2 * width
    }

    /// # Shapes
    /// - x and output: `[B, T, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = self.dropout.forward(elu(self.fc1.forward(x.clone())));
        let update = self.fc2.forward(hidden);
        let gate = sigmoid(self.gate.forward(x.clone()));
        self.norm.forward(gate * (update - x.clone()) + x)
    }
}
