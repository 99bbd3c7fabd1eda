//! One layer of the transformer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{LinearConfig, ModuleConfig};

use super::FtTransformerConfig;
use super::feed_forward::FeedForward;

/// Which tokens ask in an attention; all answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queries {
    All,
    First,
}

impl Queries {
    fn of(self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::All => x,
            Self::First => x.narrow(1, 0, 1),
        }
    }
}

/// `x ← x + Attention(Norm(x))`, then `x ← x + FeedForward(Norm(x))`, with dropout on both terms.
///
/// The first block of a stack has no norm before its attention (the paper's section 3.3 calls this
/// necessary for good performance).
#[derive(Module, Debug)]
pub struct FtTransformerBlock {
    attention_norm: Option<LayerNorm>,
    attention: MultiHeadAttention,
    ffn_norm: LayerNorm,
    ffn: FeedForward,
    residual_dropout: Dropout,
}

/// As in the authors' code: no output projection with one head, biases from zero, weights as those
/// of any linear layer.
fn attention(config: &FtTransformerConfig) -> MultiHeadAttentionConfig {
    let width = config.d_block;
    MultiHeadAttentionConfig::new(width, config.attention_n_heads)
        .with_dropout(config.attention_dropout)
        .with_initializer(LinearConfig::new(width, width).initializer)
        .with_output_projection(config.attention_n_heads > 1)
}

impl FtTransformerBlock {
    pub(super) fn new(config: &FtTransformerConfig, first: bool, device: &Device) -> Self {
        let width = config.d_block;
        Self {
            attention_norm: (!first).then(|| LayerNormConfig::new(width).build(device)),
            attention: attention(config).build(device),
            ffn_norm: LayerNormConfig::new(width).build(device),
            ffn: FeedForward::new(
                width,
                config.ffn_hidden_width(),
                config.ffn_activation,
                config.ffn_dropout,
                device,
            ),
            residual_dropout: DropoutConfig::new(config.residual_dropout).build(device),
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`
    /// - output: `[B, Tq, D]`, `Tq` being `T` or 1
    pub(super) fn forward(&self, x: Tensor<3>, mask: AttentionMask, queries: Queries) -> Tensor<3> {
        let normal = self.attention_input(&x);
        let attended = match queries {
            Queries::All => self.attention.forward(normal, mask, None),
            Queries::First => self.attention.forward_first(normal, mask),
        };
        self.rest(attended, queries.of(x))
    }

    /// [`forward`](Self::forward), and the attention weights `[B, H, Tq, T]`.
    pub(super) fn forward_with_map(
        &self,
        x: Tensor<3>,
        mask: AttentionMask,
        queries: Queries,
    ) -> (Tensor<3>, Tensor<4>) {
        let normal = self.attention_input(&x);
        let (attended, map) = match queries {
            Queries::All => self.attention.forward_with_map(normal, mask, None),
            Queries::First => self.attention.forward_first_with_map(normal, mask),
        };
        (self.rest(attended, queries.of(x)), map)
    }

    fn attention_input(&self, x: &Tensor<3>) -> Tensor<3> {
        match &self.attention_norm {
            Some(norm) => norm.forward(x.clone()),
            None => x.clone(),
        }
    }

    /// What follows the attention, for the tokens that asked.
    fn rest(&self, attended: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        let x = self.residual_dropout.residual(attended, x);
        let change = self.ffn.forward(self.ffn_norm.forward(x.clone()));
        self.residual_dropout.residual(change, x)
    }
}
