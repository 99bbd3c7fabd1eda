//! Multi-head attention with the projections of one layer fused.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{AttentionMask, AttentionOptions, PackedHeads, attention, attention_packed};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::block::Queries;

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
        let projection = |d_out| {
            LinearConfig::new(width, d_out)
                .with_bias_initializer(Some(Initializer::Zeros))
                .build(device)
        };
        Self {
            qkv: projection(3 * width),
            output: (n_heads > 1).then(|| projection(width)),
            dropout: DropoutConfig::new(dropout).build(device),
            n_heads,
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`
    /// - output: `[B, Tq, D]`, `Tq` being `T` or 1
    pub(super) fn forward(&self, x: Tensor<3>, queries: Queries) -> Tensor<3> {
        let options = AttentionOptions {
            dropout: self.dropout.rate(),
            ..AttentionOptions::default()
        };
        let mixed = match queries {
            Queries::All => attention_packed(
                self.qkv.forward(x),
                PackedHeads::equal(self.n_heads),
                AttentionMask::none(),
                &options,
            ),
            Queries::First => self.first(x, &options),
        };
        match &self.output {
            Some(output) => output.forward(mixed),
            None => mixed,
        }
    }

    /// Attention of the first token alone: the other tokens' queries would be thrown away.
    fn first(&self, x: Tensor<3>, options: &AttentionOptions) -> Tensor<3> {
        let [batch, _, width] = x.dims();
        let q = self
            .qkv
            .forward_columns(x.clone().narrow(1, 0, 1), 0, width);
        let kv = self.qkv.forward_columns(x, width, 2 * width);
        let (k, v) = (kv.clone().narrow(2, 0, width), kv.narrow(2, width, width));
        let (q, k, v) = (self.heads(q), self.heads(k), self.heads(v));
        attention(q, k, v, AttentionMask::none(), None, options)
            .swap_dims(1, 2)
            .reshape([batch, 1, width])
    }

    /// `[B, T, D]` to `[B, H, T, D / H]`.
    fn heads(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, tokens, width] = x.dims();
        x.reshape([batch, tokens, self.n_heads, width / self.n_heads])
            .swap_dims(1, 2)
    }
}
