//! One layer: labelled rows are looked at, rows to predict look.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{
    AttentionMask, AttentionOptions, attention, attention_with_weights, dropout, dropout_residual,
    linear,
};
use forge_nn::{ModuleConfig, apply_linear, apply_linear_activation};

use super::{TabPfnActivation, TabPfnV1Config};
use crate::tabular::dropout::active_rate;

/// `x ← Norm(x + Attention(x, labelled))`, `x ← Norm(x + FeedForward(x))`, or with the norms before
/// the parts.
///
/// Keys and values are those of the labelled rows alone, whoever asks.
#[derive(Module, Debug)]
pub struct TabPfnV1Layer {
    attention_norm: LayerNorm,
    qkv: Linear,
    output: Linear,
    ffn_norm: LayerNorm,
    ffn_in: Linear,
    ffn_out: Linear,
    dropout: Dropout,
    heads: usize,
    pre_norm: bool,
    #[module(skip)]
    activation: TabPfnActivation,
}

/// The rows of a table that a layer works on, `[1, N, D]`.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// All rows, the labelled ones first.
    pub(super) rows: Tensor<3>,
    /// So many of them are labelled.
    pub(super) labelled: usize,
    /// Only the rows after this many are asked about: 0, or `labelled` in the last layer.
    pub(super) from: usize,
}

impl TabPfnV1Layer {
    pub(super) fn new(config: &TabPfnV1Config, device: &Device) -> Self {
        let (width, hidden) = (config.emsize, config.nhid);
        let linear = |d_in, d_out| LinearConfig::new(d_in, d_out).init(device);
        Self {
            attention_norm: LayerNormConfig::new(width).build(device),
            qkv: linear(width, 3 * width),
            output: linear(width, width),
            ffn_norm: LayerNormConfig::new(width).build(device),
            ffn_in: linear(width, hidden),
            ffn_out: linear(hidden, width),
            dropout: DropoutConfig::new(config.dropout).init(),
            heads: config.nhead,
            pre_norm: config.pre_norm,
            activation: config.activation,
        }
    }

    /// The rows asked about, and their weights on the labelled rows where they are wanted.
    ///
    /// # Shapes
    /// - output: `[1, Q, D]`, map: `[1, H, Q, R]`
    pub(super) fn forward(&self, asking: Asking, want: bool) -> (Tensor<3>, Option<Tensor<4>>) {
        let rate = active_rate(&self.dropout);
        let Asking {
            rows,
            labelled,
            from,
        } = asking;
        let queries = rows.dims()[1] - from;
        let x = rows.clone().narrow(1, from, queries);
        let seen = if self.pre_norm {
            self.attention_norm.forward(rows)
        } else {
            rows
        };
        let (change, map) = self.attend(
            seen.clone().narrow(1, from, queries),
            seen.narrow(1, 0, labelled),
            rate,
            want,
        );
        let x = dropout_residual(change, x, rate);
        if self.pre_norm {
            let change = self.feed_forward(self.ffn_norm.forward(x.clone()), rate);
            return (dropout_residual(change, x, rate), map);
        }
        let x = self.attention_norm.forward(x);
        let change = self.feed_forward(x.clone(), rate);
        let x = self.ffn_norm.forward(dropout_residual(change, x, rate));
        (x, map)
    }

    fn attend(
        &self,
        queries: Tensor<3>,
        labelled: Tensor<3>,
        rate: f64,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let [batch, asked, width] = queries.dims();
        let options = AttentionOptions {
            dropout: rate,
            ..AttentionOptions::default()
        };
        let kv = self.project(labelled, width, 2 * width);
        let (k, v) = (kv.clone().narrow(2, 0, width), kv.narrow(2, width, width));
        let (k, v) = (self.split(k), self.split(v));
        let q = self.split(self.project(queries, 0, width));
        let mask = AttentionMask::none();
        let (mixed, map) = if want {
            let (mixed, map) = attention_with_weights(q, k, v, mask, None, &options);
            (mixed, Some(map))
        } else {
            (attention(q, k, v, mask, None, &options), None)
        };
        let mixed = mixed.swap_dims(1, 2).reshape([batch, asked, width]);
        (apply_linear(&self.output, mixed), map)
    }

    fn feed_forward(&self, x: Tensor<3>, rate: f64) -> Tensor<3> {
        let hidden = apply_linear_activation(&self.ffn_in, x, self.activation.fused());
        apply_linear(&self.ffn_out, dropout(hidden, rate))
    }

    /// Columns `start..start + length` of the fused projection of `x`: a row to predict is never a
    /// key.
    fn project(&self, x: Tensor<3>, start: usize, length: usize) -> Tensor<3> {
        let weight = self.qkv.weight.val().narrow(1, start, length);
        let bias = self.qkv.bias.as_ref();
        linear(
            x,
            weight,
            bias.map(|bias| bias.val().narrow(0, start, length)),
        )
    }

    /// `[B, N, D]` to `[B, H, N, D / H]`.
    fn split(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, rows, width] = x.dims();
        x.reshape([batch, rows, self.heads, width / self.heads])
            .swap_dims(1, 2)
    }
}
