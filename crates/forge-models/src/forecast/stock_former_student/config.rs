//! Sizes of the student of StockFormer.

use burn::tensor::Device;
use forge_nn::ops::LinearActivation;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::StockFormerStudent;
use crate::encoder_layer::EncoderLayerConfig;
use crate::forecast::stock_former::{head_name, patch_width};
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Makes a [`StockFormerStudent`]. The default is the seed's: 128 wide, 4 heads, 2 layers, patches of 10
/// steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StockFormerStudentConfig {
    /// The windows. The target and the covariates of the past are the prices, the fixed numbers the
    /// context.
    pub windows: SeriesSpec,
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads, at least 1.
    pub n_heads: usize,
    /// Layers, at least 1.
    pub n_layers: usize,
    /// Width inside the feed-forward parts, at least 1.
    pub ffn_dim: usize,
    /// Steps of a patch, at most the look-back.
    pub patch_len: usize,
    /// Dropout in every layer, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for StockFormerStudentConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            d_model: 128,
            n_heads: 4,
            n_layers: 2,
            ffn_dim: 256,
            patch_len: 10,
            dropout: 0.2,
        }
    }
}

impl StockFormerStudentConfig {
    fn layer(&self) -> EncoderLayerConfig {
        EncoderLayerConfig {
            d_model: self.d_model,
            n_heads: self.n_heads,
            d_ff: self.ffn_dim,
            dropout: self.dropout,
            pre_norm: false,
            activation: LinearActivation::Relu,
        }
    }

    /// Numbers of a patch; what validation accepts has patches.
    fn patch_width(&self) -> usize {
        patch_width(&self.windows, self.patch_len).unwrap_or_default()
    }
}

impl ModuleConfig for StockFormerStudentConfig {
    type Module = StockFormerStudent;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        patch_width(&self.windows, self.patch_len)?;
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("n_heads", self.n_heads, limits::WIDTH)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::in_range("n_layers", self.n_layers, limits::BLOCKS)?;
        check::in_range("ffn_dim", self.ffn_dim, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> StockFormerStudent {
        let (width, windows) = (self.d_model, &self.windows);
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let token = |from| (from > 0).then(|| linear(from, width));
        StockFormerStudent {
            context: token(windows.n_fixed),
            embedding: token(windows.d_embedding),
            patch_embedding: linear(self.patch_width(), width),
            layers: (0..self.n_layers)
                .map(|_| self.layer().build(device))
                .collect(),
            heads: (0..windows.n_outputs)
                .map(|_| linear(width, windows.horizon))
                .collect(),
            patch_len: self.patch_len,
            windows: windows.clone(),
        }
    }
}

impl ForecastConfig for StockFormerStudentConfig {
    const NAME: &'static str = "stock_former_student";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        past_covariates: true,
        fixed: true,
        embedding: true,
        several_outputs: true,
        attention_maps: true,
        ..ForecastCapabilities::NONE
    };

    fn windows(&self) -> &SeriesSpec {
        &self.windows
    }

    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError> {
        patch_width(&windows, self.patch_len)?;
        Ok(Self { windows, ..self })
    }

    fn narrow() -> Self {
        Self {
            d_model: 16,
            n_heads: 2,
            ffn_dim: 24,
            patch_len: 4,
            dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |d_model, n_heads| Self {
            d_model,
            n_heads,
            ffn_dim: 2 * d_model,
            dropout: 0.1,
            ..Self::default()
        };
        let (config, source) = match strategy {
            Strategy::Fast => (small(32, 4), "this library's"),
            Strategy::Balanced => (small(64, 4), "this library's"),
            Strategy::Accurate => (
                Self::default(),
                "sizes: the seed's; training: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-2,
                batch_size: Some(64),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for StockFormerStudentConfig {
    fn parameter_count(&self) -> usize {
        let (width, windows) = (self.d_model, &self.windows);
        let token = |from: usize| if from > 0 { (from + 1) * width } else { 0 };
        token(windows.n_fixed)
            + token(windows.d_embedding)
            + token(self.patch_width())
            + self.n_layers * self.layer().parameter_count()
            + windows.n_outputs * (width + 1) * windows.horizon
    }
}

impl ReferenceWeights for StockFormerStudentConfig {
    const REFERENCE: &'static str = "this library's seed: StudentModel";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new().linear("patch_embedding", "patch_embed.projection");
        let tokens = [
            (self.windows.n_fixed, "context", "context_embed"),
            (self.windows.d_embedding, "embedding", "kronos_proj"),
        ];
        let tokens = tokens.iter().filter(|(numbers, ..)| *numbers > 0);
        let map = tokens.fold(map, |map, (_, ours, theirs)| map.linear(ours, theirs));
        let map = (0..self.n_layers).fold(map, |map, i| {
            let (ours, theirs) = (format!("layers.{i}"), format!("transformer.layers.{i}"));
            EncoderLayerConfig::key_map(map, &ours, &theirs)
        });
        (0..self.windows.n_outputs).fold(map, |map, i| {
            map.linear(&format!("heads.{i}"), &head_name(i))
        })
    }
}
