//! A layer of a transformer encoder.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{AttentionMask, LinearActivation};
use forge_nn::parameters::KeyMap;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// Sizes of an [`EncoderLayer`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncoderLayerConfig {
    pub(crate) d_model: usize,
    pub(crate) n_heads: usize,
    pub(crate) d_ff: usize,
    pub(crate) dropout: f64,
    /// The norms come before the parts and not after the sums.
    pub(crate) pre_norm: bool,
    pub(crate) activation: LinearActivation,
}

/// `x ← x + Attention(Norm(x))`, `x ← x + FeedForward(Norm(x))`, or
/// `x ← Norm(x + Attention(x))`, `x ← Norm(x + FeedForward(x))`, with dropout on attention weights,
/// hidden layer and what is added: PyTorch's `nn.TransformerEncoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention_norm: LayerNorm,
    attention: MultiHeadAttention,
    ffn_norm: LayerNorm,
    ffn_in: Linear,
    ffn_out: Linear,
    dropout: Dropout,
    pre_norm: bool,
    #[module(skip)]
    activation: LinearActivation,
}

impl EncoderLayerConfig {
    pub(crate) fn build(self, device: &Device) -> EncoderLayer {
        let width = self.d_model;
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        EncoderLayer {
            attention_norm: LayerNormConfig::new(width).build(device),
            attention: MultiHeadAttentionConfig::new(width, self.n_heads)
                .with_dropout(self.dropout)
                .build(device),
            ffn_norm: LayerNormConfig::new(width).build(device),
            ffn_in: linear(width, self.d_ff),
            ffn_out: linear(self.d_ff, width),
            dropout: DropoutConfig::new(self.dropout).build(device),
            pre_norm: self.pre_norm,
            activation: self.activation,
        }
    }

    pub(crate) fn parameter_count(self) -> usize {
        let width = self.d_model;
        4 * (width + 1) * width + (width + 1) * self.d_ff + (self.d_ff + 1) * width + 4 * width
    }

    /// PyTorch's names, queries, keys and values in one matrix.
    pub(crate) fn key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let attention = format!("{theirs}.self_attn");
        map.transposed(
            &format!("{ours}.attention.in_proj.weight"),
            &format!("{attention}.in_proj_weight"),
        )
        .same(
            &format!("{ours}.attention.in_proj.bias"),
            &format!("{attention}.in_proj_bias"),
        )
        .linear(
            &format!("{ours}.attention.out_proj"),
            &format!("{attention}.out_proj"),
        )
        .linear(&format!("{ours}.ffn_in"), &format!("{theirs}.linear1"))
        .linear(&format!("{ours}.ffn_out"), &format!("{theirs}.linear2"))
        .norm(
            &format!("{ours}.attention_norm"),
            &format!("{theirs}.norm1"),
        )
        .norm(&format!("{ours}.ffn_norm"), &format!("{theirs}.norm2"))
    }
}

/// Who asks whom, where not every token asks every other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Only the tokens after this many ask.
    pub(crate) from: usize,
    /// Keys and values are those of so many first tokens.
    pub(crate) of: usize,
}

impl EncoderLayer {
    /// The tokens, and their weights on each other where they are wanted.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`, map: `[B, H, T, T]`
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        mask: AttentionMask,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let seen = self.seen(x.clone());
        let (change, map) = if want {
            let (change, map) = self.attention.forward_with_map(seen, mask, None);
            (change, Some(map))
        } else {
            (self.attention.forward(seen, mask, None), None)
        };
        (self.rest(change, x), map)
    }

    /// The tokens that ask, and their weights on those that are asked where they are wanted.
    ///
    /// # Shapes
    /// - x: `[B, T, D]`, output: `[B, T - from, D]`, map: `[B, H, T - from, of]`
    pub(crate) fn forward_asking(
        &self,
        x: Tensor<3>,
        asked: Asked,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let asking = x.dims()[1] - asked.from;
        let seen = self.seen(x.clone());
        let (q, kv) = (
            seen.clone().narrow(1, asked.from, asking),
            seen.narrow(1, 0, asked.of),
        );
        let (attention, mask) = (&self.attention, AttentionMask::none());
        let (change, map) = if want {
            let (change, map) = attention.forward_cross_with_map(q, kv.clone(), kv, mask, None);
            (change, Some(map))
        } else {
            (attention.forward_cross(q, kv.clone(), kv, mask, None), None)
        };
        (self.rest(change, x.narrow(1, asked.from, asking)), map)
    }

    fn seen(&self, x: Tensor<3>) -> Tensor<3> {
        match self.pre_norm {
            true => self.attention_norm.forward(x),
            false => x,
        }
    }

    /// From what attention adds to `x` to the layer's output.
    fn rest(&self, change: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        let x = self.dropout.residual(change, x);
        if self.pre_norm {
            let change = self.feed_forward(self.ffn_norm.forward(x.clone()));
            return self.dropout.residual(change, x);
        }
        let x = self.attention_norm.forward(x);
        let change = self.feed_forward(x.clone());
        self.ffn_norm.forward(self.dropout.residual(change, x))
    }

    fn feed_forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = self.ffn_in.forward_activated(x, self.activation);
        self.ffn_out.forward(self.dropout.forward(hidden))
    }
}
