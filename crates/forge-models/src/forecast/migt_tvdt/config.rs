//! Sizes of MIGT-TVDT.

use burn::nn::Initializer;
use burn::tensor::Device;
use forge_nn::gating::GatedInstanceNormConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::model::{GatedBlock, VariableEmbedding};
use super::{
    MaskedRevInConfig, MigtBlockConfig, MigtCalendarEncodingConfig, MigtTvdt,
    RisingQuantileHeadConfig, TemporalAggregationConfig,
};
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::limits;
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Makes a [`MigtTvdt`]. The default is the repository's: 256 wide, 8 heads, 4 layers over time and 2
/// over variables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MigtTvdtConfig {
    /// The windows: the target and the covariates of the past are the variables.
    pub windows: SeriesSpec,
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads, at least 1.
    pub n_heads: usize,
    /// Width inside the feed-forward parts, at least 1.
    pub d_ff: usize,
    /// Layers over time, at least 1.
    pub n_temporal_layers: usize,
    /// Layers over variables, each with a gate, at least 1.
    pub n_variable_layers: usize,
    /// Width inside the heads, at least 1.
    pub head_hidden: usize,
    /// Features of the bar within the day, even, at least 2.
    pub d_time_of_day: usize,
    /// Features of the day of the week, at least 1.
    pub d_day_of_week: usize,
    /// Features of the day of the month, at least 1.
    pub d_day_of_month: usize,
    /// Features of the day of the year, at least 1.
    pub d_day_of_year: usize,
    /// Added to the deviation of a window; above 0.
    pub revin_eps: f64,
    /// Dropout in every layer, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for MigtTvdtConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            d_model: 256,
            n_heads: 8,
            d_ff: 1024,
            n_temporal_layers: 4,
            n_variable_layers: 2,
            head_hidden: 128,
            d_time_of_day: 32,
            d_day_of_week: 16,
            d_day_of_month: 16,
            d_day_of_year: 32,
            revin_eps: 1e-5,
            dropout: 0.1,
        }
    }
}

impl MigtTvdtConfig {
    pub(super) fn n_variables(&self) -> usize {
        self.windows.n_targets + self.windows.n_past
    }

    pub(super) fn has_calendar(&self) -> bool {
        self.windows.bars_per_day.is_some()
    }

    pub(super) fn revin(&self) -> MaskedRevInConfig {
        MaskedRevInConfig {
            n_variables: self.n_variables(),
            eps: self.revin_eps,
        }
    }

    pub(super) fn calendar(&self) -> MigtCalendarEncodingConfig {
        MigtCalendarEncodingConfig {
            d_model: self.d_model,
            d_time_of_day: self.d_time_of_day,
            d_day_of_week: self.d_day_of_week,
            d_day_of_month: self.d_day_of_month,
            d_day_of_year: self.d_day_of_year,
            bars_per_day: self.windows.bars_per_day.unwrap_or(self.windows.lookback),
        }
    }

    pub(super) fn block(&self) -> MigtBlockConfig {
        MigtBlockConfig {
            d_model: self.d_model,
            n_heads: self.n_heads,
            d_ff: self.d_ff,
            dropout: self.dropout,
        }
    }

    pub(super) fn aggregation(&self) -> TemporalAggregationConfig {
        TemporalAggregationConfig {
            d_model: self.d_model,
        }
    }

    fn gate(&self) -> GatedInstanceNormConfig {
        GatedInstanceNormConfig::new(self.d_model)
    }

    fn pool(&self) -> LinearConfig {
        LinearConfig::new(self.n_variables() * self.d_model, self.d_model)
    }

    pub(super) fn head(&self) -> RisingQuantileHeadConfig {
        RisingQuantileHeadConfig {
            d_model: self.d_model,
            head_hidden: self.head_hidden,
            n_horizons: self.windows.horizon,
            n_quantiles: self.windows.n_outputs,
        }
    }
}

impl ModuleConfig for MigtTvdtConfig {
    type Module = MigtTvdt;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        self.block().validate()?;
        self.calendar().validate()?;
        check::in_range("n_temporal_layers", self.n_temporal_layers, limits::BLOCKS)?;
        check::in_range("n_variable_layers", self.n_variable_layers, limits::BLOCKS)?;
        self.head().validate()?;
        check::positive("revin_eps", self.revin_eps)
    }

    fn build(&self, device: &Device) -> MigtTvdt {
        // A linear layer of one input.
        let unit = Initializer::Uniform {
            min: -1.0,
            max: 1.0,
        };
        let shape = [self.n_variables(), self.d_model];
        let gated = |_| GatedBlock {
            block: self.block().build(device),
            gate: self.gate().build(device),
        };
        MigtTvdt {
            revin: self.revin().build(device),
            variables: VariableEmbedding {
                weight: unit.init(shape, device),
                bias: unit.init(shape, device),
            },
            calendar: self.calendar().build_for(self.has_calendar(), device),
            temporal: (0..self.n_temporal_layers)
                .map(|_| self.block().build(device))
                .collect(),
            aggregation: self.aggregation().build(device),
            across: (0..self.n_variable_layers).map(gated).collect(),
            output: self.pool().init(device),
            head: self.head().build(device),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for MigtTvdtConfig {
    const NAME: &'static str = "migt_tvdt";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        past_covariates: true,
        calendar: true,
        valid: true,
        several_outputs: true,
        rising_outputs: true,
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
            d_model: 24,
            n_heads: 2,
            d_ff: 32,
            n_temporal_layers: 1,
            n_variable_layers: 1,
            head_hidden: 16,
            d_time_of_day: 6,
            d_day_of_week: 3,
            d_day_of_month: 2,
            d_day_of_year: 4,
            dropout: 0.01,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = |d_model, n_heads, layers| Self {
            d_model,
            n_heads,
            d_ff: 4 * d_model,
            n_temporal_layers: layers,
            n_variable_layers: 1,
            head_hidden: d_model / 2,
            ..Self::default()
        };
        let (config, source) = match strategy {
            Strategy::Fast => (small(32, 4, 1), "this library's"),
            Strategy::Balanced => (small(64, 4, 2), "this library's"),
            Strategy::Accurate => (
                Self::default(),
                "sizes: cjfortu/FuturesSL; training: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 3e-4,
                weight_decay: 1e-2,
                batch_size: Some(32),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for MigtTvdtConfig {
    fn parameter_count(&self) -> usize {
        let (variables, width) = (self.n_variables(), self.d_model);
        let block = self.block().parameter_count();
        let gate = (width + 1) * width + 2 * width;
        let pool = self.pool();
        2 * variables
            + 2 * variables * width
            + self.calendar().parameter_count(self.has_calendar())
            + self.n_temporal_layers * block
            + self.aggregation().parameter_count()
            + self.n_variable_layers * (block + gate)
            + (pool.d_input + 1) * pool.d_output
            + self.head().parameter_count()
    }
}
