//! Sizes of the temporal fusion transformer.

use burn::tensor::Device;
use forge_nn::gating::{GatedLinearConfig, GatedResidualNetworkConfig};
use forge_nn::norm::LayerNormConfig;
use forge_nn::{ForgeError, ModuleConfig, NumericTokenizerConfig, check};
use serde::{Deserialize, Serialize};

use super::Tft;
use super::decoder::TemporalDecoder;
use super::encoder::TemporalEncoder;
use super::static_encoder::StaticEncoder;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::limits;
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Keras's epsilon of layer normalisation, the authors'.
const EPSILON: f64 = 1e-3;

/// Makes a [`Tft`]. The default is the paper's for the volatility data set: 160 wide, 1 recurrent
/// layer, 1 head, dropout 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TftConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Width of everything, a multiple of `n_head`.
    pub hidden_size: usize,
    /// Heads of the attention over time, at least 1.
    pub n_head: usize,
    /// Recurrent layers over past and over future, at least 1.
    pub n_rnn_layers: usize,
    /// Dropout before every gate, in `[0, 1)`.
    pub dropout: f64,
    /// Dropout on the attention weights after the softmax, in `[0, 1)`.
    pub attn_dropout: f64,
    /// Order of the variables of the past: targets, covariates, covariates known ahead; otherwise
    /// targets come last. It matters to weights from elsewhere only.
    pub targets_first: bool,
}

impl Default for TftConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            hidden_size: 160,
            n_head: 1,
            n_rnn_layers: 1,
            dropout: 0.3,
            attn_dropout: 0.0,
            targets_first: false,
        }
    }
}

impl TftConfig {
    /// TFT-XL: 256 wide, 8 heads, 2 recurrent layers, with a foundation model's vector as a static
    /// variable where the windows have one.
    #[must_use]
    pub fn xl() -> Self {
        Self {
            hidden_size: 256,
            n_head: 8,
            n_rnn_layers: 2,
            dropout: 0.1,
            targets_first: true,
            ..Self::default()
        }
    }

    /// Variables of the past.
    pub(super) fn past_variables(&self) -> usize {
        self.windows.n_past + self.known_variables() + self.windows.n_targets
    }

    /// Variables known ahead: there is always one, time itself where nothing else is.
    pub(super) fn known_variables(&self) -> usize {
        self.windows.n_known.max(1)
    }

    /// Variables that do not change with time.
    pub(super) fn static_variables(&self) -> usize {
        let windows = &self.windows;
        windows.n_fixed + windows.fixed_cardinalities.len() + usize::from(windows.d_embedding > 0)
    }

    /// Contexts: of selection and enrichment, and the start of each recurrent layer.
    pub(super) fn static_contexts(&self) -> usize {
        2 + 2 * self.n_rnn_layers
    }

    pub(super) fn step_outputs(&self) -> usize {
        self.windows.n_targets * self.windows.n_outputs
    }

    pub(super) fn residual_network(&self, context: bool) -> GatedResidualNetworkConfig {
        GatedResidualNetworkConfig::new(self.hidden_size, self.hidden_size)
            .with_d_context(context.then_some(self.hidden_size))
            .with_dropout(self.dropout)
            .with_eps(EPSILON)
    }

    pub(super) fn gate(&self) -> GatedLinearConfig {
        GatedLinearConfig::new(self.hidden_size, self.hidden_size).with_dropout(self.dropout)
    }

    pub(super) fn norm(&self) -> LayerNormConfig {
        LayerNormConfig::new(self.hidden_size).with_eps(EPSILON)
    }

    pub(super) fn embedding(&self, variables: usize) -> NumericTokenizerConfig {
        NumericTokenizerConfig {
            n_features: variables,
            d_token: self.hidden_size,
            bias: true,
            missing: false,
        }
    }
}

impl ModuleConfig for TftConfig {
    type Module = Tft;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        check::in_range("hidden_size", self.hidden_size, limits::WIDTH)?;
        check::in_range("n_head", self.n_head, limits::WIDTH)?;
        check::divides("n_head", self.n_head, "hidden_size", self.hidden_size)?;
        check::in_range("n_rnn_layers", self.n_rnn_layers, limits::BLOCKS)?;
        check::probability("dropout", self.dropout)?;
        check::probability("attn_dropout", self.attn_dropout)
    }

    fn build(&self, device: &Device) -> Tft {
        Tft {
            statics: StaticEncoder::new(self, device),
            encoder: TemporalEncoder::new(self, device),
            decoder: TemporalDecoder::new(self, device),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for TftConfig {
    const NAME: &'static str = "tft";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        past_covariates: true,
        known: true,
        fixed: true,
        fixed_codes: true,
        embedding: true,
        several_outputs: true,
        attention_maps: true,
        feature_masks: true,
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
            hidden_size: 24,
            n_head: 2,
            dropout: 0.01,
            attn_dropout: 0.01,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let default = Self::default();
        let small = |hidden_size, n_head| Self {
            hidden_size,
            n_head,
            dropout: 0.1,
            ..Self::default()
        };
        let paper = "table 1 of arXiv 1912.09363, volatility";
        let (config, learning_rate, source) = match strategy {
            Strategy::Fast => (small(16, 2), 1e-3, "this library's"),
            Strategy::Balanced => (small(64, 4), 1e-3, "this library's"),
            Strategy::Accurate => (default, 1e-2, paper),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate,
                weight_decay: 0.0,
                batch_size: Some(64),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for TftConfig {
    fn parameter_count(&self) -> usize {
        StaticEncoder::parameter_count(self)
            + TemporalEncoder::parameter_count(self)
            + TemporalDecoder::parameter_count(self)
    }
}
