//! Attention whose scores are added up from layer to layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{merge_heads, split_heads};
use forge_nn::ops::{
    AttentionMask, AttentionOptions, Axes, PackedHeads, attention, attention_packed, matmul, parts,
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

/// What a layer is to give beside what it attends to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The scores, for a layer after this one.
    pub(super) scores: bool,
    /// The weights.
    pub(super) map: bool,
}

/// Attention with scores `[B, H, T, T]` added to its own. These are never all there at once, but for the
/// gradient of `before`: each head of each sample is one of a single sample, since biases are by head.
fn attention_onto(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    before: Option<Tensor<4>>,
    options: &AttentionOptions,
) -> Tensor<4> {
    let none = AttentionMask::none();
    let Some(before) = before else {
        return attention(q, k, v, none, None, options);
    };
    let [batch, heads, tokens, width] = q.dims();
    let alone = |x: Tensor<4>| x.reshape([1, batch * heads, tokens, width]);
    let before = before.reshape([batch * heads, tokens, tokens]);
    let [q, k, v] = [q, k, v].map(alone);
    attention(q, k, v, none, Some(before), options).reshape([batch, heads, tokens, width])
}

impl ResidualAttention {
    pub(super) fn new(width: usize, n_heads: usize, dropout: f64, device: &Device) -> Self {
        Self {
            in_proj: LinearConfig::new(width, 3 * width).init(device),
            out_proj: LinearConfig::new(width, width).init(device),
            dropout: DropoutConfig::new(dropout).init(device),
            n_heads,
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`, before: `[B, H, T, T]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        before: Option<Tensor<4>>,
        wanted: Wanted,
    ) -> Attended {
        let packed = self.in_proj.forward(x);
        let options = AttentionOptions::default();
        if before.is_none() && !wanted.scores && !wanted.map {
            let heads = PackedHeads::equal(self.n_heads);
            let mixed = attention_packed(packed, heads, AttentionMask::none(), &options);
            return self.out(mixed, None, None);
        }
        let width = packed.dims()[2] / 3;
        let [q, k, v] = parts(packed, 2, [width; 3]).map(|part| split_heads(part, self.n_heads));
        let scores = (wanted.scores || wanted.map).then(|| {
            let scale = ((width / self.n_heads) as f64).sqrt().recip();
            let scores = matmul(q.clone() * scale, k.clone().swapped(2, 3));
            match before.clone() {
                Some(before) => scores + before,
                None => scores,
            }
        });
        let (mixed, map) = match (&scores, wanted.map) {
            (Some(scores), true) => {
                let weights = softmax(scores.clone(), 3);
                (matmul(weights.clone(), v), Some(weights))
            }
            _ => (attention_onto(q, k, v, before, &options), None),
        };
        let scores = scores.filter(|_| wanted.scores);
        self.out(merge_heads(mixed), scores, map)
    }

    fn out(&self, mixed: Tensor<3>, scores: Option<Tensor<4>>, map: Option<Tensor<4>>) -> Attended {
        let y = self.dropout.forward(self.out_proj.forward(mixed));
        Attended { y, scores, map }
    }
}
