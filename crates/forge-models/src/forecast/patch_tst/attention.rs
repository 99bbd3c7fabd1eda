//! Attention whose scores are added up from layer to layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{merge_heads, split_heads};
use forge_nn::ops::{
    AttentionMask, AttentionOptions, PackedHeads, attention_packed, attention_with_weights, matmul,
    softmax,
};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// `softmax(S) V` with `S = Q Kᵀ / √d + S_before`, `S_before` the scores of the layer before.
///
/// He et al., arXiv 2012.11747 (RealFormer). Without scores handed on it is attention as usual.
#[derive(Module, Debug)]
pub struct ResidualAttention {
    /// Queries, keys and values.
    in_proj: Linear,
    out_proj: Linear,
    /// On what comes out.
    dropout: Dropout,
    n_heads: usize,
    residual: bool,
}

/// What a layer of attention gives.
pub(super) struct Attended {
    /// `[B, T, D]`.
    pub(super) y: Tensor<3>,
    /// The scores for the next layer, `[B, H, T, T]`, where they are handed on.
    pub(super) scores: Option<Tensor<4>>,
    /// The weights, `[B, H, T, T]`, where they are wanted.
    pub(super) map: Option<Tensor<4>>,
}

impl ResidualAttention {
    pub(super) fn new(
        width: usize,
        n_heads: usize,
        dropout: f64,
        residual: bool,
        device: &Device,
    ) -> Self {
        Self {
            in_proj: LinearConfig::new(width, 3 * width).init(device),
            out_proj: LinearConfig::new(width, width).init(device),
            dropout: DropoutConfig::new(dropout).init(device),
            n_heads,
            residual,
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`, before: `[B, H, T, T]`
    pub(super) fn forward(&self, x: Tensor<3>, before: Option<Tensor<4>>, map: bool) -> Attended {
        let options = AttentionOptions::default();
        let packed = self.in_proj.forward(x);
        if !self.residual && !map {
            let heads = PackedHeads::equal(self.n_heads);
            let mixed = attention_packed(packed, heads, AttentionMask::none(), &options);
            return self.out(mixed, None, None);
        }
        let width = packed.dims()[2] / 3;
        let part = |i: usize| {
            let part = packed.clone().narrow(2, i * width, width);
            split_heads(part, self.n_heads)
        };
        let [q, k, v] = [0, 1, 2].map(part);
        if !self.residual {
            let none = AttentionMask::none();
            let (mixed, weights) = attention_with_weights(q, k, v, none, None, &options);
            return self.out(merge_heads(mixed), None, Some(weights));
        }
        let scale = ((width / self.n_heads) as f64).sqrt().recip();
        let scores = matmul(q * scale, k.swap_dims(2, 3));
        let scores = match before {
            Some(before) => scores + before,
            None => scores,
        };
        let weights = softmax(scores.clone(), 3);
        let mixed = merge_heads(matmul(weights.clone(), v));
        self.out(mixed, Some(scores), map.then_some(weights))
    }

    fn out(&self, mixed: Tensor<3>, scores: Option<Tensor<4>>, map: Option<Tensor<4>>) -> Attended {
        let y = self.dropout.forward(self.out_proj.forward(mixed));
        Attended { y, scores, map }
    }
}
