//! Sizes of StockFormer.

use burn::tensor::Device;
use forge_nn::norm::LayerNormConfig;
use forge_nn::ops::LinearActivation;
use forge_nn::position::{RotaryEmbeddingConfig, RotaryLayout};
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::StockFormer;
use super::causal_convolutions::{BLOCKS, CausalConvolutions};
use super::cross_modal::CrossModal;
use super::gated_block::GatedBlock;
use super::heads::OutputHead;
use super::model::ContextToken;
use super::patches::patch_width;
use crate::encoder_layer::EncoderLayerConfig;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::limits;
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Gated blocks before the heads.
pub(super) const GATED: usize = 2;

/// Makes a [`StockFormer`]. The default is the seed's: 256 wide, 8 heads, 6 layers, patches of 10 steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StockFormerConfig {
    /// The windows. The target and the covariates of the past are the prices, the fixed numbers the
    /// context.
    pub windows: SeriesSpec,
    /// Width of a token, even and a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads, at least 1.
    pub n_heads: usize,
    /// Layers of the encoder, at least 1.
    pub n_layers: usize,
    /// Width inside feed-forward parts and gated blocks, at least 1.
    pub ffn_dim: usize,
    /// Steps of a patch, at most the look-back.
    pub patch_len: usize,
    /// Dropout everywhere, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for StockFormerConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            d_model: 256,
            n_heads: 8,
            n_layers: 6,
            ffn_dim: 512,
            patch_len: 10,
            dropout: 0.2,
        }
    }
}

impl StockFormerConfig {
    fn layer(&self) -> EncoderLayerConfig {
        EncoderLayerConfig {
            d_model: self.d_model,
            n_heads: self.n_heads,
            d_ff: self.ffn_dim,
            dropout: self.dropout,
            pre_norm: true,
            activation: LinearActivation::Gelu,
        }
    }

    /// Numbers of a patch; what validation accepts has patches.
    fn patch_width(&self) -> usize {
        patch_width(&self.windows, self.patch_len).unwrap_or_default()
    }
}

impl ModuleConfig for StockFormerConfig {
    type Module = StockFormer;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        patch_width(&self.windows, self.patch_len)?;
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("n_heads", self.n_heads, limits::WIDTH)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        if !self.d_model.is_multiple_of(2) {
            return Err(ForgeError::config("d_model", self.d_model, "even"));
        }
        check::in_range("n_layers", self.n_layers, limits::BLOCKS)?;
        check::in_range("ffn_dim", self.ffn_dim, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> StockFormer {
        let width = self.d_model;
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let windows = &self.windows;
        StockFormer {
            patch_embedding: linear(self.patch_width(), width),
            rotation: RotaryEmbeddingConfig::new(width)
                .with_layout(RotaryLayout::Interleaved)
                .build(device),
            cross_modal: CrossModal::new(self, device),
            context: (windows.n_fixed > 0).then(|| ContextToken {
                linear: linear(windows.n_fixed, width),
                norm: LayerNormConfig::new(width).build(device),
            }),
            convolutions: (0..BLOCKS)
                .map(|block| CausalConvolutions::new(self, block, device))
                .collect(),
            layers: (0..self.n_layers)
                .map(|_| self.layer().build(device))
                .collect(),
            gated: (0..GATED).map(|_| GatedBlock::new(self, device)).collect(),
            heads: (0..windows.n_outputs)
                .map(|_| OutputHead::new(self, device))
                .collect(),
            patch_len: self.patch_len,
            windows: windows.clone(),
        }
    }
}

impl ForecastConfig for StockFormerConfig {
    const NAME: &'static str = "stock_former";
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
            d_model: 24,
            n_heads: 2,
            n_layers: 1,
            ffn_dim: 32,
            patch_len: 4,
            dropout: 0.02,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |d_model, n_heads, n_layers| Self {
            d_model,
            n_heads,
            n_layers,
            ffn_dim: 2 * d_model,
            dropout: 0.1,
            ..Self::default()
        };
        let (config, learning_rate, source) = match strategy {
            Strategy::Fast => (
                small(32, 4, 1),
                3e-3,
                "this library's; rate: measured on ETTh1, docs/results.md",
            ),
            Strategy::Balanced => (
                small(64, 4, 2),
                1e-3,
                "this library's; rate: measured on ETTh1, docs/results.md",
            ),
            Strategy::Accurate => (
                Self::default(),
                3e-4,
                "sizes: ai-trader-saas; training: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate,
                weight_decay: 1e-2,
                batch_size: Some(64),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for StockFormerConfig {
    fn parameter_count(&self) -> usize {
        let (width, windows) = (self.d_model, &self.windows);
        let context = match windows.n_fixed {
            0 => 0,
            numbers => (numbers + 1) * width + 2 * width,
        };
        (self.patch_width() + 1) * width
            + CrossModal::parameter_count(self)
            + context
            + BLOCKS * CausalConvolutions::parameter_count(self)
            + self.n_layers * self.layer().parameter_count()
            + GATED * GatedBlock::parameter_count(self)
            + windows.n_outputs * OutputHead::parameter_count(self)
    }
}
