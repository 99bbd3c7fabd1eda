//! Attention and feed-forward part, of either kind.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{AttentionMask, geglu};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::attention::SaintAttention;
use crate::reference::KeyMap;

/// The feed-forward part is this many times as wide inside.
const MULTIPLIER: usize = 4;

/// `n = Norm(x)`, `x ← n + Attention(n)`; `n = Norm(x)`, `x ← n + FeedForward(n)`.
///
/// What is carried past a part is its *normalised* input: the reference puts the norm before the
/// residual sum and not inside it. The feed-forward part is `Linear(Dropout(GEGLU(Linear(x))))`.
#[derive(Module, Debug)]
pub struct SaintBlock {
    attention_norm: LayerNorm,
    attention: SaintAttention,
    ffn_norm: LayerNorm,
    ffn_in: Linear,
    ffn_dropout: Dropout,
    ffn_out: Linear,
}

/// Sizes of a [`SaintBlock`].
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockSize {
    /// Width of what attends to each other.
    pub(super) width: usize,
    pub(super) heads: usize,
    /// Width of a head, whatever `width` is.
    pub(super) dim_head: usize,
}

impl BlockSize {
    pub(super) fn build(self, attn_dropout: f64, ff_dropout: f64, device: &Device) -> SaintBlock {
        let Self {
            width,
            heads,
            dim_head,
        } = self;
        let hidden = MULTIPLIER * width;
        SaintBlock {
            attention_norm: LayerNormConfig::new(width).build(device),
            attention: SaintAttention::new(width, heads, dim_head, attn_dropout, device),
            ffn_norm: LayerNormConfig::new(width).build(device),
            ffn_in: LinearConfig::new(width, 2 * hidden).init(device),
            ffn_dropout: DropoutConfig::new(ff_dropout).build(device),
            ffn_out: LinearConfig::new(hidden, width).init(device),
        }
    }

    pub(super) fn parameter_count(self) -> usize {
        let (width, hidden) = (self.width, MULTIPLIER * self.width);
        let norms = 2 * 2 * width;
        let feed_forward = (width + 1) * 2 * hidden + (hidden + 1) * width;
        norms + SaintAttention::parameter_count(width, self.heads, self.dim_head) + feed_forward
    }

    /// The block at `ours`, which the reference keeps as the parts `first` and `first + 1` of the
    /// list `theirs`.
    pub(super) fn key_map(map: KeyMap, ours: &str, theirs: &str, first: usize) -> KeyMap {
        let (attention, ffn) = (
            format!("{theirs}.{first}"),
            format!("{theirs}.{}", first + 1),
        );
        map.norm(
            &format!("{ours}.attention_norm"),
            &format!("{attention}.norm"),
        )
        .transposed(
            &format!("{ours}.attention.qkv.weight"),
            &format!("{attention}.fn.fn.to_qkv.weight"),
        )
        .linear(
            &format!("{ours}.attention.output"),
            &format!("{attention}.fn.fn.to_out"),
        )
        .norm(&format!("{ours}.ffn_norm"), &format!("{ffn}.norm"))
        .linear(&format!("{ours}.ffn_in"), &format!("{ffn}.fn.fn.net.0"))
        .linear(&format!("{ours}.ffn_out"), &format!("{ffn}.fn.fn.net.3"))
    }
}

impl SaintBlock {
    /// # Shapes
    /// - x, output: `[B, T, D]`
    /// - map: `[B, H, T, T]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        mask: AttentionMask,
        want: bool,
    ) -> (Tensor<3>, Option<Tensor<4>>) {
        let x = self.attention_norm.forward(x);
        let (change, map) = self.attention.forward(x.clone(), mask, want);
        let x = self.ffn_norm.forward(change + x);
        let hidden = geglu(self.ffn_in.forward(x.clone()));
        let hidden = self.ffn_dropout.forward(hidden);
        (self.ffn_out.forward(hidden) + x, map)
    }
}
