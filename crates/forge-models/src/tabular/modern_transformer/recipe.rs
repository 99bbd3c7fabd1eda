//! What makes the stack, whatever the config is called.

use burn::tensor::Device;
use forge_nn::norm::RmsNormConfig;
use forge_nn::{ForgeError, ModuleConfig, check};

use super::{ModernTransformerBackbone, ModernTransformerLayer};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::rotary_attention::{AttentionKind, AttentionShape};

/// Layers whose kinds of attention follow a pattern that starts again when it is through.
#[derive(Debug, Clone, Copy)]
pub(in crate::tabular) struct Recipe<'a> {
    pub(in crate::tabular) attention: AttentionShape,
    pub(in crate::tabular) pattern: &'a [AttentionKind],
    pub(in crate::tabular) n_layers: usize,
    pub(in crate::tabular) d_hidden: usize,
    pub(in crate::tabular) norm_eps: f64,
    pub(in crate::tabular) ffn_dropout: f64,
}

impl Recipe<'_> {
    fn kinds(&self) -> impl Iterator<Item = AttentionKind> {
        self.pattern.iter().copied().cycle().take(self.n_layers)
    }

    pub(in crate::tabular) fn validate(&self) -> Result<(), ForgeError> {
        self.attention.validate()?;
        check::in_range("n_layers", self.n_layers, limits::BLOCKS)?;
        check::in_range("d_hidden", self.d_hidden, limits::WIDTH)?;
        check::positive("norm_eps", self.norm_eps)?;
        check::probability("ffn_dropout", self.ffn_dropout)?;
        let slides = self.pattern.contains(&AttentionKind::SlidingWindow);
        match self.attention.window {
            None if slides => {
                let allowed = "the neighbours that a token sees on one side, for sliding_window";
                Err(ForgeError::config("window", "null", allowed))
            }
            Some(window) if !slides => {
                let allowed = "null: no layer has sliding_window as its attention";
                Err(ForgeError::config("window", window, allowed))
            }
            _ => Ok(()),
        }
    }

    pub(in crate::tabular) fn build(&self, device: &Device) -> ModernTransformerBackbone {
        let norm = RmsNormConfig::new(self.attention.d_model).with_eps(self.norm_eps);
        let layer = |kind| ModernTransformerLayer::new(self, kind, device);
        ModernTransformerBackbone {
            layers: self.kinds().map(layer).collect(),
            norm: norm.build(device),
            causal: self.attention.causal,
        }
    }

    pub(in crate::tabular) fn parameter_count(&self) -> usize {
        let width = self.attention.d_model;
        let rest = 3 * width * self.d_hidden + 2 * width;
        let layers = self
            .kinds()
            .map(|kind| self.attention.parameter_count(kind) + rest);
        layers.sum::<usize>() + width
    }

    /// The names of `transformers`' Llama.
    pub(in crate::tabular) fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let map = map.same(
            &format!("{ours}norm.weight"),
            &format!("{theirs}norm.weight"),
        );
        self.kinds().enumerate().fold(map, |map, (i, kind)| {
            let (ours, theirs) = (format!("{ours}layers.{i}"), format!("{theirs}layers.{i}"));
            let norms = [
                ("attention_norm", "input_layernorm"),
                ("ffn_norm", "post_attention_layernorm"),
            ];
            let map = norms.iter().fold(map, |map, (norm, name)| {
                map.same(
                    &format!("{ours}.{norm}.weight"),
                    &format!("{theirs}.{name}.weight"),
                )
            });
            let (attention, name) = (format!("{ours}.attention"), format!("{theirs}.self_attn"));
            let map = self.attention.key_map(map, kind, &attention, &name);
            swiglu_key_map(map, &format!("{ours}.ffn"), &format!("{theirs}.mlp"))
        })
    }
}

/// A SwiGLU at `ours` under the names of `transformers` at `theirs`.
pub(in crate::tabular) fn swiglu_key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
    ["gate", "up", "down"].iter().fold(map, |map, part| {
        let ours = format!("{ours}.w_{part}.weight");
        map.transposed(&ours, &format!("{theirs}.{part}_proj.weight"))
    })
}
