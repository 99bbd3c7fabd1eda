//! One layer.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::{HyperMixerConfig, HyperMixing};

/// `x ← x + HyperMixing(LayerNorm(x))`, then `x ← x + Linear(GELU(Linear(LayerNorm(x))))` token by
/// token: a pre-norm transformer layer with the mixing in place of its attention.
#[derive(Module, Debug)]
pub struct HyperMixerLayer {
    mixing_norm: LayerNorm,
    mixing: HyperMixing,
    ffn_norm: LayerNorm,
    linear1: Linear,
    linear2: Linear,
    dropout: Dropout,
}

impl HyperMixerLayer {
    pub(super) fn new(config: &HyperMixerConfig, device: &Device) -> Self {
        let (width, hidden) = (config.d_model, config.d_hidden);
        let norm = LayerNormConfig::new(width);
        Self {
            mixing_norm: norm.build(device),
            mixing: config.mixing().build(device),
            ffn_norm: norm.build(device),
            linear1: LinearConfig::new(width, hidden).init(device),
            linear2: LinearConfig::new(hidden, width).init(device),
            dropout: DropoutConfig::new(config.dropout).build(device),
        }
    }

    /// # Shapes
    /// - x and output: `[B, T, D]`, valid: `[B, T]`
    pub(super) fn forward(&self, x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let mixed = self
            .mixing
            .forward(self.mixing_norm.forward(x.clone()), valid);
        let x = self.dropout.residual(mixed, x);
        let hidden = self.ffn_norm.forward(x.clone());
        let hidden = self
            .linear1
            .forward_activated(hidden, LinearActivation::Gelu);
        let change = self.linear2.forward(self.dropout.forward(hidden));
        self.dropout.residual(change, x)
    }
}
