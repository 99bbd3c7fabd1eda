//! One layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::activation::{GatedFeedForward, GatedFeedForwardConfig};
use forge_nn::norm::LayerNorm;

use super::ParallelTransformerConfig;
use crate::tabular::rotary_attention::{Layer, SelfAttention};

/// `n = LayerNorm(x)`, `x ← x + attention(n) + SwiGLU(n)`.
#[derive(Module, Debug)]
pub struct ParallelTransformerLayer {
    norm: LayerNorm,
    attention: SelfAttention,
    ffn: GatedFeedForward,
}

impl ParallelTransformerLayer {
    pub(super) fn new(config: &ParallelTransformerConfig, device: &Device) -> Self {
        let ffn = GatedFeedForwardConfig::new(config.d_model, config.d_hidden);
        Self {
            norm: config.norm(device),
            attention: SelfAttention::new(&config.shape(), config.kind(), device),
            ffn: ffn.with_dropout(config.ffn_dropout).build(device),
        }
    }
}

impl Layer for ParallelTransformerLayer {
    fn attention(&self) -> &SelfAttention {
        &self.attention
    }

    fn forward(
        &self,
        x: Tensor<3>,
        attend: impl FnOnce(&SelfAttention, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let normal = self.norm.forward(x.clone());
        let attended = attend(&self.attention, normal.clone());
        x + attended + self.ffn.forward(normal)
    }
}
