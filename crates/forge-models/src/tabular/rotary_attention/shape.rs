//! Sizes of an attention layer.

use burn::tensor::Device;
use forge_nn::attention::{GroupedQueryAttentionConfig, LinearAttentionConfig};
use forge_nn::position::{RotaryEmbeddingConfig, RotaryLayout};
use forge_nn::{ForgeError, ModuleConfig, check};

use super::{AttentionKind, SelfAttention};
use crate::limits;
use crate::reference::KeyMap;

/// The fields that every config of a transformer here has for its attention.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct AttentionShape {
    pub(in crate::tabular) d_model: usize,
    pub(in crate::tabular) n_heads: usize,
    pub(in crate::tabular) n_kv_heads: Option<usize>,
    pub(in crate::tabular) head_dim: Option<usize>,
    pub(in crate::tabular) causal: bool,
    pub(in crate::tabular) window: Option<usize>,
    pub(in crate::tabular) rope_theta: f64,
    pub(in crate::tabular) rope_layout: RotaryLayout,
    pub(in crate::tabular) linear_eps: f64,
    pub(in crate::tabular) dropout: f64,
}

impl AttentionShape {
    fn head_width(&self) -> usize {
        self.head_dim.unwrap_or(self.d_model / self.n_heads.max(1))
    }

    /// Rows of the reference's projections of queries, keys and values.
    fn rows(&self, kind: AttentionKind) -> [usize; 3] {
        let groups = kind.kv_heads(self.n_heads, self.n_kv_heads);
        [self.n_heads, groups, groups].map(|heads| heads * self.head_width())
    }

    pub(in crate::tabular) fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("n_heads", self.n_heads, limits::WIDTH)?;
        if let Some(groups) = self.n_kv_heads {
            check::divides("n_kv_heads", groups, "n_heads", self.n_heads)?;
        }
        match self.head_dim {
            Some(width) => check::in_range("head_dim", width, limits::WIDTH)?,
            None => check::divides("n_heads", self.n_heads, "d_model", self.d_model)?,
        }
        let width = self.head_width();
        if !width.is_multiple_of(2) {
            let allowed = "even: rotary positions turn pairs of features";
            let field = match self.head_dim {
                Some(_) => "head_dim",
                None => "head_dim = d_model / n_heads",
            };
            return Err(ForgeError::config(field, width, allowed));
        }
        if let Some(window) = self.window {
            check::in_range("window", window, limits::WIDTH)?;
        }
        check::positive("rope_theta", self.rope_theta)?;
        check::positive("linear_eps", self.linear_eps)?;
        check::probability("attention_dropout", self.dropout)
    }

    pub(super) fn build(&self, kind: AttentionKind, device: &Device) -> SelfAttention {
        let rotary = RotaryEmbeddingConfig::new(self.head_width())
            .with_theta(self.rope_theta)
            .with_layout(self.rope_layout);
        let groups = kind.kv_heads(self.n_heads, self.n_kv_heads);
        if kind == AttentionKind::Linear {
            let layer = LinearAttentionConfig::new(self.d_model, self.n_heads)
                .with_n_kv_heads(Some(groups))
                .with_head_dim(Some(self.head_width()))
                .with_rotary(Some(rotary))
                .with_causal(self.causal)
                .with_bias(false)
                .with_eps(self.linear_eps);
            return SelfAttention::Linear(layer.build(device));
        }
        let layer = GroupedQueryAttentionConfig::new(self.d_model, self.n_heads, groups)
            .with_head_dim(Some(self.head_width()))
            .with_rotary(Some(rotary))
            .with_causal(self.causal)
            .with_window(self.window.filter(|_| kind == AttentionKind::SlidingWindow))
            .with_dropout(self.dropout);
        SelfAttention::Softmax(layer.build(device))
    }

    pub(in crate::tabular) fn parameter_count(&self, kind: AttentionKind) -> usize {
        let rows = self.rows(kind);
        // The way out is as large as the queries' way in.
        (rows.iter().sum::<usize>() + rows[0]) * self.d_model
    }

    /// Adds a layer at `ours` under the names of `transformers` at `theirs`.
    pub(in crate::tabular) fn key_map(
        &self,
        map: KeyMap,
        kind: AttentionKind,
        ours: &str,
        theirs: &str,
    ) -> KeyMap {
        let names = ["q", "k", "v"].map(|side| format!("{theirs}.{side}_proj.weight"));
        let output = format!("{ours}.o_proj.weight");
        let map = map.transposed(&output, &format!("{theirs}.o_proj.weight"));
        if kind == AttentionKind::Linear {
            return ["q", "k", "v"]
                .iter()
                .zip(&names)
                .fold(map, |map, (side, name)| {
                    map.transposed(&format!("{ours}.{side}_proj.weight"), name)
                });
        }
        let parts = names.into_iter().zip(self.rows(kind));
        map.stacked_transposed(&format!("{ours}.qkv_proj.weight"), parts)
    }
}
