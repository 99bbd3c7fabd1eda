//! One layer over variables.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::ITransformerConfig;
use crate::forecast::HiddenActivation;

/// `x ← LayerNorm(x + attention(x))`, then `x ← LayerNorm(x + feed-forward(x))`.
#[derive(Module, Debug)]
pub struct ITransformerLayer {
    attention: MultiHeadAttention,
    attention_norm: LayerNorm,
    linear1: Linear,
    linear2: Linear,
    ffn_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    activation: HiddenActivation,
}

impl ITransformerLayer {
    pub(super) fn new(config: &ITransformerConfig, device: &Device) -> Self {
        let (width, hidden) = (config.d_model, config.d_ff);
        let attention = MultiHeadAttentionConfig::new(width, config.n_heads)
            .with_dropout(config.dropout)
            .with_initializer(LinearConfig::new(width, width).initializer);
        let norm = || LayerNormConfig::new(width).init(device);
        Self {
            attention: attention.init(device),
            attention_norm: norm(),
            linear1: LinearConfig::new(width, hidden).init(device),
            linear2: LinearConfig::new(hidden, width).init(device),
            ffn_norm: norm(),
            dropout: DropoutConfig::new(config.dropout).init(device),
            activation: config.activation,
        }
    }

    /// # Shapes
    /// - x, output: `[B, N, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let attended = (self.attention).forward(x.clone(), AttentionMask::none(), None);
        self.rest(attended, x)
    }

    /// [`forward`](Self::forward), and the attention weights `[B, H, N, N]`.
    pub(super) fn forward_with_map(&self, x: Tensor<3>) -> (Tensor<3>, Tensor<4>) {
        let none = AttentionMask::none();
        let (attended, map) = self.attention.forward_with_map(x.clone(), none, None);
        (self.rest(attended, x), map)
    }

    fn rest(&self, attended: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        let x = self
            .attention_norm
            .forward(self.dropout.residual(attended, x));
        let activation = self.activation.into();
        let hidden = self.linear1.forward_activated(x.clone(), activation);
        let change = self.linear2.forward(self.dropout.forward(hidden));
        self.ffn_norm.forward(self.dropout.residual(change, x))
    }
}
