//! Multi-head attention with the projections of one layer fused.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use forge_nn::apply_linear;
use forge_nn::ops::{
    AttentionMask, AttentionOptions, PackedHeads, attention, attention_packed, linear,
};

use super::block::Queries;
use crate::tabular::dropout::active_rate;

/// Multi-head self-attention, of all tokens or of the first one alone.
///
/// The query, key and value projections are one matrix, in that order; with one head there is no
/// output projection. Biases begin at zero.
#[derive(Module, Debug)]
pub(super) struct FeatureAttention {
    qkv: Linear,
    output: Option<Linear>,
    dropout: Dropout,
    n_heads: usize,
}

impl FeatureAttention {
    pub(super) fn new(width: usize, n_heads: usize, dropout: f64, device: &Device) -> Self {
        let unbiased = |d_out| Linear {
            bias: Some(Initializer::Zeros.init([d_out], device)),
            ..LinearConfig::new(width, d_out)
                .with_bias(false)
                .init(device)
        };
        Self {
            qkv: unbiased(3 * width),
            output: (n_heads > 1).then(|| unbiased(width)),
            dropout: DropoutConfig::new(dropout).init(),
            n_heads,
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`
    /// - output: `[B, Tq, D]`, `Tq` being `T` or 1
    pub(super) fn forward(&self, x: Tensor<3>, mask: AttentionMask, queries: Queries) -> Tensor<3> {
        let options = AttentionOptions {
            dropout: active_rate(&self.dropout),
            ..AttentionOptions::default()
        };
        let mixed = match queries {
            Queries::All => attention_packed(
                apply_linear(&self.qkv, x),
                PackedHeads::equal(self.n_heads),
                mask,
                &options,
            ),
            Queries::First => self.first(x, mask, &options),
        };
        match &self.output {
            Some(output) => apply_linear(output, mixed),
            None => mixed,
        }
    }

    /// Attention of the first token alone: the other tokens' queries would be thrown away.
    fn first(&self, x: Tensor<3>, mask: AttentionMask, options: &AttentionOptions) -> Tensor<3> {
        let [batch, _, width] = x.dims();
        let q = self.project(x.clone().narrow(1, 0, 1), 0, width);
        let kv = self.project(x, width, 2 * width);
        let (k, v) = (kv.clone().narrow(2, 0, width), kv.narrow(2, width, width));
        let (q, k, v) = (self.heads(q), self.heads(k), self.heads(v));
        attention(q, k, v, mask, None, options)
            .swap_dims(1, 2)
            .reshape([batch, 1, width])
    }

    /// Columns `start..start + length` of the fused projection of `x`.
    fn project(&self, x: Tensor<3>, start: usize, length: usize) -> Tensor<3> {
        let weight = self.qkv.weight.val().narrow(1, start, length);
        let bias = self
            .qkv
            .bias
            .as_ref()
            .map(|bias| bias.val().narrow(0, start, length));
        linear(x, weight, bias)
    }

    /// `[B, T, D]` to `[B, H, T, D / H]`.
    fn heads(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, tokens, width] = x.dims();
        x.reshape([batch, tokens, self.n_heads, width / self.n_heads])
            .swap_dims(1, 2)
    }
}
