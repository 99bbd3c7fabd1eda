//! The recipe of a parallel transformer.

use burn::tensor::Device;
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::position::RotaryLayout;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{ParallelTransformerBackbone, ParallelTransformerLayer};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::tabular::modern_transformer::swiglu_key_map;
use crate::tabular::rotary_attention::{AttentionKind, AttentionShape};
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`ParallelTransformerBackbone`].
///
/// The smallest PaLM is 4,096 wide. The default has its proportions (one key/value head, a hidden
/// width of four times the width) at the FT-Transformer's size: 192, 3 layers, 8 heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParallelTransformerConfig {
    /// Width of a token, at least 1.
    pub d_model: usize,
    /// Number of layers, at least 1.
    pub n_layers: usize,
    /// Query heads, at least 1.
    pub n_heads: usize,
    /// Key and value heads, a divisor of `n_heads`; null: as many. 1 is the paper's multi-query
    /// attention.
    pub n_kv_heads: Option<usize>,
    /// Width of a head, even; null: `d_model / n_heads`, which must then be whole and even.
    pub head_dim: Option<usize>,
    /// Width inside the gated feed-forward part, at least 1.
    pub d_hidden: usize,
    /// A token sees itself and those before it.
    pub causal: bool,
    /// Neighbours that a token sees on one side, itself extra, at least 1; null: all.
    pub window: Option<usize>,
    /// Base of the rotary frequencies, above 0.
    pub rope_theta: f64,
    /// Which features of a head make a pair: `interleaved` (RoFormer, Cohere's checkpoints) or
    /// `half_split` (lucidrains' PaLM).
    pub rope_layout: RotaryLayout,
    /// Epsilon of the norms, inside the root; above 0.
    pub norm_eps: f64,
    /// Dropout on the attention weights, in `[0, 1)`.
    pub attention_dropout: f64,
    /// Dropout inside the feed-forward part, in `[0, 1)`.
    pub ffn_dropout: f64,
}

impl Default for ParallelTransformerConfig {
    fn default() -> Self {
        Self {
            d_model: 192,
            n_layers: 3,
            n_heads: 8,
            n_kv_heads: Some(1),
            head_dim: None,
            d_hidden: 768,
            causal: false,
            window: None,
            rope_theta: 10_000.0,
            rope_layout: RotaryLayout::Interleaved,
            norm_eps: 1e-5,
            attention_dropout: 0.0,
            ffn_dropout: 0.0,
        }
    }
}

impl ParallelTransformerConfig {
    pub(super) fn shape(&self) -> AttentionShape {
        AttentionShape {
            d_model: self.d_model,
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            head_dim: self.head_dim,
            causal: self.causal,
            window: self.window,
            rope_theta: self.rope_theta,
            rope_layout: self.rope_layout,
            linear_eps: 1e-6,
            dropout: self.attention_dropout,
        }
    }

    pub(super) fn kind(&self) -> AttentionKind {
        match self.window {
            Some(_) => AttentionKind::SlidingWindow,
            None => AttentionKind::GroupedQuery,
        }
    }

    pub(super) fn norm(&self, device: &Device) -> LayerNorm {
        let norm = LayerNormConfig::new(self.d_model).with_eps(self.norm_eps);
        norm.with_bias(false).build(device)
    }
}

impl ModuleConfig for ParallelTransformerConfig {
    type Module = ParallelTransformerBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        self.shape().validate()?;
        check::in_range("n_layers", self.n_layers, limits::BLOCKS)?;
        check::in_range("d_hidden", self.d_hidden, limits::WIDTH)?;
        check::positive("norm_eps", self.norm_eps)?;
        check::probability("ffn_dropout", self.ffn_dropout)
    }

    fn build(&self, device: &Device) -> ParallelTransformerBackbone {
        let layer = |_| ParallelTransformerLayer::new(self, device);
        ParallelTransformerBackbone {
            layers: (0..self.n_layers).map(layer).collect(),
            norm: self.norm(device),
            causal: self.causal,
        }
    }
}

impl BackboneConfig for ParallelTransformerConfig {
    const NAME: &'static str = "parallel_transformer";
    const REFERENCE: &'static str = "transformers==5.24.0:CohereModel";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        let layer =
            self.shape().parameter_count(self.kind()) + self.d_model * (3 * self.d_hidden + 1);
        self.n_layers * layer + self.d_model
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let map = map.same(
            &format!("{ours}norm.weight"),
            &format!("{theirs}norm.weight"),
        );
        (0..self.n_layers).fold(map, |map, i| {
            let (ours, theirs) = (format!("{ours}layers.{i}"), format!("{theirs}layers.{i}"));
            let norm = format!("{theirs}.input_layernorm.weight");
            let map = map.same(&format!("{ours}.norm.weight"), &norm);
            let (attention, name) = (format!("{ours}.attention"), format!("{theirs}.self_attn"));
            let map = self.shape().key_map(map, self.kind(), &attention, &name);
            swiglu_key_map(map, &format!("{ours}.ffn"), &format!("{theirs}.mlp"))
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_layers: by.depth(self.n_layers),
            d_model: by.width_of(self.d_model, 2 * self.n_heads),
            d_hidden: by.width(self.d_hidden),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_model: 16,
            n_layers: 2,
            n_heads: 4,
            d_hidden: 24,
            attention_dropout: 0.1,
            ffn_dropout: 0.1,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let sized = |d_model, n_layers, n_heads| Self {
            d_model,
            n_layers,
            n_heads,
            d_hidden: 4 * d_model,
            ..Self::default()
        };
        let config = match strategy {
            Strategy::Fast => sized(32, 2, 4),
            Strategy::Balanced => sized(64, 2, 8),
            Strategy::Accurate => Self {
                attention_dropout: 0.2,
                ffn_dropout: 0.1,
                ..Self::default()
            },
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's",
            },
        }
    }
}
