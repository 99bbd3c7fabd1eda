//! The recipe of a modern transformer.

use burn::tensor::Device;
use forge_nn::position::RotaryLayout;
use forge_nn::{ForgeError, ModuleConfig};
use serde::{Deserialize, Serialize};

use super::ModernTransformerBackbone;
use super::recipe::Recipe;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::tabular::rotary_attention::{AttentionKind, AttentionShape};
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`ModernTransformerBackbone`].
///
/// No paper has its sizes for tables. The default is as wide and deep as the FT-Transformer's (192,
/// 3 layers, 8 heads), with LLaMA's rule for the hidden width (8/3 of the width) and its constants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModernTransformerConfig {
    /// Width of a token, at least 1.
    pub d_model: usize,
    /// Number of layers, at least 1.
    pub n_layers: usize,
    /// Kind of attention of all layers.
    pub attention: AttentionKind,
    /// Query heads, at least 1.
    pub n_heads: usize,
    /// Key and value heads, a divisor of `n_heads`; null: as many. Counts for `grouped_query`,
    /// `linear` and `sliding_window`.
    pub n_kv_heads: Option<usize>,
    /// Width of a head, even; null: `d_model / n_heads`, which must then be whole and even.
    pub head_dim: Option<usize>,
    /// Width inside the gated feed-forward part, at least 1.
    pub d_hidden: usize,
    /// A token sees itself and those before it.
    pub causal: bool,
    /// Neighbours that a token sees on one side, itself extra: at least 1 for `sliding_window`, null
    /// for the others. (`sliding_window` of `transformers` is this plus 1.)
    pub window: Option<usize>,
    /// Base of the rotary frequencies, above 0.
    pub rope_theta: f64,
    /// Epsilon of the norms, inside the root; above 0.
    pub norm_eps: f64,
    /// Added to the normaliser of `linear` attention; above 0.
    pub linear_eps: f64,
    /// Dropout on the attention weights, in `[0, 1)`; `linear` has none.
    pub attention_dropout: f64,
    /// Dropout inside the feed-forward part, in `[0, 1)`.
    pub ffn_dropout: f64,
}

impl Default for ModernTransformerConfig {
    fn default() -> Self {
        Self {
            d_model: 192,
            n_layers: 3,
            attention: AttentionKind::MultiHead,
            n_heads: 8,
            n_kv_heads: None,
            head_dim: None,
            d_hidden: 512,
            causal: false,
            window: None,
            rope_theta: 10_000.0,
            norm_eps: 1e-6,
            linear_eps: 1e-6,
            attention_dropout: 0.0,
            ffn_dropout: 0.0,
        }
    }
}

impl ModernTransformerConfig {
    fn recipe(&self) -> Recipe<'_> {
        Recipe {
            attention: AttentionShape {
                d_model: self.d_model,
                n_heads: self.n_heads,
                n_kv_heads: self.n_kv_heads,
                head_dim: self.head_dim,
                causal: self.causal,
                window: self.window,
                rope_theta: self.rope_theta,
                rope_layout: RotaryLayout::HalfSplit,
                linear_eps: self.linear_eps,
                dropout: self.attention_dropout,
            },
            pattern: std::slice::from_ref(&self.attention),
            n_layers: self.n_layers,
            d_hidden: self.d_hidden,
            norm_eps: self.norm_eps,
            ffn_dropout: self.ffn_dropout,
        }
    }
}

impl ModuleConfig for ModernTransformerConfig {
    type Module = ModernTransformerBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        self.recipe().validate()
    }

    fn build(&self, device: &Device) -> ModernTransformerBackbone {
        self.recipe().build(device)
    }
}

impl BackboneConfig for ModernTransformerConfig {
    const NAME: &'static str = "modern_transformer";
    const REFERENCE: &'static str = "transformers==5.24.0:LlamaModel, MistralModel";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        self.recipe().parameter_count()
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        self.recipe().key_map(map, ours, theirs)
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
            attention: AttentionKind::GroupedQuery,
            n_heads: 4,
            n_kv_heads: Some(2),
            d_hidden: 24,
            attention_dropout: 0.1,
            ffn_dropout: 0.1,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let sized = |d_model, n_layers, n_heads, d_hidden| Self {
            d_model,
            n_layers,
            n_heads,
            d_hidden,
            ..Self::default()
        };
        let config = match strategy {
            Strategy::Fast => sized(32, 2, 4, 96),
            Strategy::Balanced => sized(64, 2, 8, 176),
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
