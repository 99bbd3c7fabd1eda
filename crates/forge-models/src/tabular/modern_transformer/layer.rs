//! One layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::activation::{GatedFeedForward, GatedFeedForwardConfig};
use forge_nn::norm::{RmsNorm, RmsNormConfig};

use super::recipe::Recipe;
use crate::tabular::rotary_attention::{AttentionKind, Layer, SelfAttention};

/// `x ← x + attention(RMSNorm(x))`, `x ← x + SwiGLU(RMSNorm(x))`.
#[derive(Module, Debug)]
pub struct ModernTransformerLayer {
    attention_norm: RmsNorm,
    attention: SelfAttention,
    ffn_norm: RmsNorm,
    ffn: GatedFeedForward,
}

impl ModernTransformerLayer {
    pub(super) fn new(recipe: &Recipe<'_>, kind: AttentionKind, device: &Device) -> Self {
        let width = recipe.attention.d_model;
        let norm = RmsNormConfig::new(width).with_eps(recipe.norm_eps);
        let ffn = GatedFeedForwardConfig::new(width, recipe.d_hidden);
        Self {
            attention_norm: norm.build(device),
            attention: SelfAttention::new(&recipe.attention, kind, device),
            ffn_norm: norm.build(device),
            ffn: ffn.with_dropout(recipe.ffn_dropout).build(device),
        }
    }
}

impl Layer for ModernTransformerLayer {
    fn attention(&self) -> &SelfAttention {
        &self.attention
    }

    fn forward(
        &self,
        x: Tensor<3>,
        attend: impl FnOnce(&SelfAttention, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let x = attend(&self.attention, self.attention_norm.forward(x.clone())) + x;
        self.ffn.forward(self.ffn_norm.forward(x.clone())) + x
    }
}
