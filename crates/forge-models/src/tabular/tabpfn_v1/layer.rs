//! One layer: labelled rows are looked at, rows to predict look.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::{TabPfnActivation, TabPfnV1Config};

/// `x ← Norm(x + Attention(x, labelled))`, `x ← Norm(x + FeedForward(x))`, or with the norms before
/// the parts.
///
/// Keys and values are those of the labelled rows alone, whoever asks.
#[derive(Module, Debug)]
pub struct TabPfnV1Layer {
    attention_norm: LayerNorm,
    attention: MultiHeadAttention,
    ffn_norm: LayerNorm,
    ffn_in: Linear,
    ffn_out: Linear,
    dropout: Dropout,
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
            attention: MultiHeadAttentionConfig::new(width, config.nhead)
                .with_dropout(config.dropout)
                .build(device),
            ffn_norm: LayerNormConfig::new(width).build(device),
            ffn_in: linear(width, hidden),
            ffn_out: linear(hidden, width),
            dropout: DropoutConfig::new(config.dropout).build(device),
            pre_norm: config.pre_norm,
            activation: config.activation,
        }
    }

    /// The rows asked about, and their weights on the labelled rows where they are wanted.
    ///
    /// # Shapes
    /// - output: `[1, Q, D]`, map: `[1, H, Q, R]`
    pub(super) fn forward(&self, asking: Asking, want: bool) -> (Tensor<3>, Option<Tensor<4>>) {
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
        let (q, kv) = (
            seen.clone().narrow(1, from, queries),
            seen.narrow(1, 0, labelled),
        );
        let (attention, mask) = (&self.attention, AttentionMask::none());
        let (change, map) = if want {
            let (change, map) = attention.forward_cross_with_map(q, kv.clone(), kv, mask, None);
            (change, Some(map))
        } else {
            (attention.forward_cross(q, kv.clone(), kv, mask, None), None)
        };
        let x = self.dropout.residual(change, x);
        if self.pre_norm {
            let change = self.feed_forward(self.ffn_norm.forward(x.clone()));
            return (self.dropout.residual(change, x), map);
        }
        let x = self.attention_norm.forward(x);
        let change = self.feed_forward(x.clone());
        (self.ffn_norm.forward(self.dropout.residual(change, x)), map)
    }

    fn feed_forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = self.ffn_in.forward_activated(x, self.activation.fused());
        self.ffn_out.forward(self.dropout.forward(hidden))
    }
}
