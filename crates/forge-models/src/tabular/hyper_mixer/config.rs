//! The recipe of a HyperMixer.

use burn::tensor::Device;
use forge_nn::norm::LayerNormConfig;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{HyperMixerBackbone, HyperMixerLayer, HyperMixingConfig};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`HyperMixerBackbone`].
///
/// The paper's sizes are of texts. The default has this library's for tables: as wide and deep as the
/// FT-Transformer's, the hypernetworks with biases and a norm behind them, as in the authors' code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HyperMixerConfig {
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Number of layers, at least 1.
    pub n_layers: usize,
    /// Heads of the token mixing, at least 1.
    pub n_heads: usize,
    /// Hidden width of the token mixing, over all heads; a multiple of `n_heads`.
    pub d_hypernet: usize,
    /// Hidden width of the feature mixing, at least 1.
    pub d_hidden: usize,
    /// Biases in the hypernetworks.
    pub hypernet_bias: bool,
    /// Normalise what the token mixing gives.
    pub mixing_norm: bool,
    /// Dropout inside the feature mixing and on what both add, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for HyperMixerConfig {
    fn default() -> Self {
        Self {
            d_model: 192,
            n_layers: 3,
            n_heads: 1,
            d_hypernet: 384,
            d_hidden: 384,
            hypernet_bias: true,
            mixing_norm: true,
            dropout: 0.0,
        }
    }
}

impl HyperMixerConfig {
    /// The token mixing of a layer.
    #[must_use]
    pub fn mixing(&self) -> HyperMixingConfig {
        HyperMixingConfig {
            d_model: self.d_model,
            d_hypernet: self.d_hypernet,
            n_heads: self.n_heads,
            hypernet_bias: self.hypernet_bias,
            layer_norm: self.mixing_norm,
        }
    }
}

impl ModuleConfig for HyperMixerConfig {
    type Module = HyperMixerBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        self.mixing().validate()?;
        check::in_range("n_layers", self.n_layers, limits::BLOCKS)?;
        check::in_range("d_hidden", self.d_hidden, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> HyperMixerBackbone {
        let layer = |_| HyperMixerLayer::new(self, device);
        HyperMixerBackbone {
            layers: (0..self.n_layers).map(layer).collect(),
            norm: LayerNormConfig::new(self.d_model).build(device),
        }
    }
}

impl BackboneConfig for HyperMixerConfig {
    const NAME: &'static str = "hyper_mixer";
    const REFERENCE: &'static str = "idiap/hypermixing@d35415c5:HyperMixing, in each layer";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.d_model, self.d_hidden);
        let rest = 4 * width + (width + 1) * hidden + (hidden + 1) * width;
        self.n_layers * (self.mixing().parameter_count() + rest) + 2 * width
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let map = map.norm(&format!("{ours}norm"), &format!("{theirs}norm"));
        (0..self.n_layers).fold(map, |map, i| {
            let (ours, theirs) = (format!("{ours}layers.{i}."), format!("{theirs}layers.{i}."));
            let map = ["mixing_norm", "ffn_norm"].iter().fold(map, |map, norm| {
                map.norm(&format!("{ours}{norm}"), &format!("{theirs}{norm}"))
            });
            let map = ["linear1", "linear2"].iter().fold(map, |map, linear| {
                map.linear(&format!("{ours}{linear}"), &format!("{theirs}{linear}"))
            });
            let (mixing, name) = (format!("{ours}mixing."), format!("{theirs}mixing."));
            self.mixing().key_map(map, &mixing, &name)
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            n_layers: by.depth(self.n_layers),
            d_model: by.width_of(self.d_model, self.n_heads),
            d_hypernet: by.width_of(self.d_hypernet, self.n_heads),
            d_hidden: by.width(self.d_hidden),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_model: 16,
            n_layers: 2,
            n_heads: 2,
            d_hypernet: 12,
            d_hidden: 24,
            dropout: 0.1,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let sized = |d_model, n_layers| Self {
            d_model,
            n_layers,
            d_hypernet: 2 * d_model,
            d_hidden: 2 * d_model,
            ..Self::default()
        };
        let config = match strategy {
            Strategy::Fast => sized(32, 2),
            Strategy::Balanced => sized(64, 2),
            Strategy::Accurate => Self {
                dropout: 0.1,
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
