//! Sizes of iTransformer.

use burn::tensor::Device;
use forge_nn::norm::LayerNormConfig;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{ITransformer, ITransformerLayer};
use crate::forecast::{ForecastCapabilities, ForecastConfig, HiddenActivation, SeriesSpec};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset, limits};

/// Makes an [`ITransformer`]. The default is the authors' for ETTh1: 2 layers 256 wide with 8 heads,
/// dropout 0.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ITransformerConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Layers, at least 1.
    pub e_layers: usize,
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads of the attention, at least 1.
    pub n_heads: usize,
    /// Hidden width of the feed-forward parts, at least 1.
    pub d_ff: usize,
    /// Between the two layers of a feed-forward part.
    pub activation: HiddenActivation,
    /// Take level and scale of each window out and give them back.
    pub use_norm: bool,
    /// Dropout on tokens, attention weights, hidden values and what the parts of a layer add, in
    /// `[0, 1)`.
    pub dropout: f64,
}

impl Default for ITransformerConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            e_layers: 2,
            d_model: 256,
            n_heads: 8,
            d_ff: 256,
            activation: HiddenActivation::Gelu,
            use_norm: true,
            dropout: 0.1,
        }
    }
}

impl ITransformerConfig {
    fn outputs(&self) -> usize {
        self.windows.horizon * self.windows.n_outputs
    }
}

impl ModuleConfig for ITransformerConfig {
    type Module = ITransformer;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        check::in_range("e_layers", self.e_layers, limits::BLOCKS)?;
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::in_range("d_ff", self.d_ff, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> ITransformer {
        let layer = |_| ITransformerLayer::new(self, device);
        ITransformer {
            embedding: LinearConfig::new(self.windows.lookback, self.d_model).init(device),
            dropout: DropoutConfig::new(self.dropout).init(device),
            layers: (0..self.e_layers).map(layer).collect(),
            norm: LayerNormConfig::new(self.d_model).init(device),
            head: LinearConfig::new(self.d_model, self.outputs()).init(device),
            use_norm: self.use_norm,
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for ITransformerConfig {
    const NAME: &'static str = "itransformer";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        past_covariates: true,
        several_outputs: true,
        own_level: true,
        own_scale: true,
        attention_maps: true,
        ..ForecastCapabilities::NONE
    };

    fn windows(&self) -> &SeriesSpec {
        &self.windows
    }

    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError> {
        Ok(Self { windows, ..self })
    }

    fn narrow() -> Self {
        Self {
            d_model: 16,
            n_heads: 2,
            d_ff: 13,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let wide = Self {
            d_model: 512,
            d_ff: 512,
            ..Self::default()
        };
        let config = match strategy {
            Strategy::Fast | Strategy::Balanced => Self::default(),
            Strategy::Accurate => wide,
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: match strategy {
                    Strategy::Fast | Strategy::Balanced => 3e-4,
                    Strategy::Accurate => 1e-4,
                },
                weight_decay: 0.0,
                batch_size: Some(32),
                steps: 1.0,
                source: "the authors' script for ETTh1 (iTransformer, \
                         scripts/multivariate_forecasting/ETT/iTransformer_ETTh1.sh), accurate: \
                         its horizons 336 and 720; its rate of 1e-4 for accurate alone, the others' \
                         measured on ETTh1, docs/results.md",
            },
        }
    }
}

impl ParameterCount for ITransformerConfig {
    fn parameter_count(&self) -> usize {
        let (width, hidden) = (self.d_model, self.d_ff);
        let attention = 4 * (width + 1) * width;
        let ffn = (width + 1) * hidden + (hidden + 1) * width;
        (self.windows.lookback + 1) * width
            + self.e_layers * (attention + ffn + 4 * width)
            + 2 * width
            + (width + 1) * self.outputs()
    }
}

impl ReferenceWeights for ITransformerConfig {
    const REFERENCE: &'static str = "thuml/iTransformer@c2426e6:model/iTransformer.py:Model";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new()
            .linear("embedding", "enc_embedding.value_embedding")
            .norm("norm", "encoder.norm")
            .linear("head", "projector");
        (0..self.e_layers).fold(map, |map, i| {
            let (ours, theirs) = (format!("layers.{i}"), format!("encoder.attn_layers.{i}"));
            let projections = |kind: &str| {
                ["query", "key", "value"].map(|part| {
                    let name = format!("{theirs}.attention.{part}_projection.{kind}");
                    (name, self.d_model)
                })
            };
            let in_proj = format!("{ours}.attention.in_proj");
            let sizes = [self.d_model, self.d_ff];
            map.stacked_transposed(&format!("{in_proj}.weight"), projections("weight"))
                .stacked(&format!("{in_proj}.bias"), projections("bias"))
                .linear(
                    &format!("{ours}.attention.out_proj"),
                    &format!("{theirs}.attention.out_projection"),
                )
                .norm(
                    &format!("{ours}.attention_norm"),
                    &format!("{theirs}.norm1"),
                )
                .norm(&format!("{ours}.ffn_norm"), &format!("{theirs}.norm2"))
                .pointwise(
                    &format!("{ours}.linear1"),
                    &format!("{theirs}.conv1"),
                    sizes,
                )
                .pointwise(
                    &format!("{ours}.linear2"),
                    &format!("{theirs}.conv2"),
                    [sizes[1], sizes[0]],
                )
        })
    }
}
