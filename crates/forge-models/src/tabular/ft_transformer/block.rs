//! One layer of the transformer.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{AttentionMask, dropout_residual};

use super::FtTransformerConfig;
use super::attention::FeatureAttention;
use super::feed_forward::FeedForward;
use crate::tabular::dropout::active_rate;

/// Which tokens ask in an attention; all answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queries {
    All,
    First,
}

/// `x ← x + Attention(Norm(x))`, then `x ← x + FeedForward(Norm(x))`, with dropout on both terms.
///
/// The first block of a stack has no norm before its attention (the paper's section 3.3 calls this
/// necessary for good performance).
#[derive(Module, Debug)]
pub struct FtTransformerBlock {
    attention_norm: Option<LayerNorm>,
    attention: FeatureAttention,
    ffn_norm: LayerNorm,
    ffn: FeedForward,
    residual_dropout: Dropout,
}

impl FtTransformerBlock {
    pub(super) fn new(config: &FtTransformerConfig, first: bool, device: &Device) -> Self {
        let width = config.d_block;
        Self {
            attention_norm: (!first).then(|| LayerNormConfig::new(width).build(device)),
            attention: FeatureAttention::new(
                width,
                config.attention_n_heads,
                config.attention_dropout,
                device,
            ),
            ffn_norm: LayerNormConfig::new(width).build(device),
            ffn: FeedForward::new(
                width,
                config.ffn_hidden_width(),
                config.ffn_activation,
                config.ffn_dropout,
                device,
            ),
            residual_dropout: DropoutConfig::new(config.residual_dropout).init(),
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`
    /// - output: `[B, Tq, D]`, `Tq` being `T` or 1
    pub(super) fn forward(&self, x: Tensor<3>, mask: AttentionMask, queries: Queries) -> Tensor<3> {
        let normal = match &self.attention_norm {
            Some(norm) => norm.forward(x.clone()),
            None => x.clone(),
        };
        let x = match queries {
            Queries::All => x,
            Queries::First => x.narrow(1, 0, 1),
        };
        let rate = active_rate(&self.residual_dropout);
        let x = dropout_residual(self.attention.forward(normal, mask, queries), x, rate);
        let change = self.ffn.forward(self.ffn_norm.forward(x.clone()));
        dropout_residual(change, x, rate)
    }
}
