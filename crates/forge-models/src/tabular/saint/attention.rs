//! Self-attention of either kind.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{
    AttentionMask, AttentionOptions, Axes, PackedHeads, attention_packed, attention_with_weights,
    parts,
};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// Multi-head self-attention whose heads have a width of their own: `Linear(heads)`, with queries,
/// keys and values from one projection without bias.
#[derive(Module, Debug)]
pub(super) struct SaintAttention {
    qkv: Linear,
    output: Linear,
    dropout: Dropout,
    heads: usize,
}

impl SaintAttention {
    pub(super) fn new(
        width: usize,
        heads: usize,
        dim_head: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let inner = heads * dim_head;
        Self {
            qkv: LinearConfig::new(width, 3 * inner)
                .with_bias(false)
                .init(device),
            output: LinearConfig::new(inner, width).init(device),
            dropout: DropoutConfig::new(dropout).build(device),
            heads,
        }
    }

    pub(super) fn parameter_count(width: usize, heads: usize, dim_head: usize) -> usize {
        let inner = heads * dim_head;
        3 * width * inner + (inner + 1) * width
    }

    /// The attention's output, and its weights where they are wanted.
    ///
    /// # Shapes
    /// - x, output: `[B, T, D]`
    /// - map: `[B, H, T, T]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        mask: AttentionMask,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let options = AttentionOptions {
            dropout: self.dropout.rate(),
            ..AttentionOptions::default()
        };
        let qkv = self.qkv.forward(x);
        if !want {
            let mixed = attention_packed(qkv, PackedHeads::equal(self.heads), mask, &options);
            return (self.output.forward(mixed), None);
        }
        let [batch, tokens, width] = qkv.dims();
        let [q, k, v] = self.split(qkv);
        let (mixed, map) = attention_with_weights(q, k, v, mask, None, &options);
        let mixed = mixed.swapped(1, 2).reshape([batch, tokens, width / 3]);
        (self.output.forward(mixed), Some(map))
    }

    /// Queries, keys and values, each `[B, H, T, D_head]`.
    fn split(&self, qkv: Tensor<3>) -> [Tensor<4>; 3] {
        let [batch, tokens, width] = qkv.dims();
        let inner = width / 3;
        let heads = [batch, tokens, self.heads, inner / self.heads];
        parts(qkv, 2, [inner; 3]).map(|part| part.reshape(heads).swapped(1, 2))
    }
}
