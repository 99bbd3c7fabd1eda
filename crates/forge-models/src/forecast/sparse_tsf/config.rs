//! Sizes of SparseTSF.

use burn::nn::Initializer;
use burn::tensor::Device;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::SparseTsf;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset, limits};

/// The period where no season is known, that of hours.
const SEASON: usize = 24;
/// The period where a season is too long for the window: the authors' for quarters of an hour.
const SHORT: usize = 4;

/// What maps past periods to those to come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SparseModelType {
    /// A linear map without bias.
    #[default]
    Linear,
    /// Two linear layers and ReLU between them.
    Mlp,
}

/// Makes a [`SparseTsf`]. The default is the authors' for ETTh1: a linear map, periods of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseTsfConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Steps of a period, 1 to the steps of the window. Default: the season of the data, 24 where none
    /// is known, 4 (or the whole window) where a window has no two of them.
    pub period_len: Option<usize>,
    /// What maps past periods to those to come.
    pub model_type: SparseModelType,
    /// Hidden width of the MLP, at least 1.
    pub d_model: usize,
}

impl Default for SparseTsfConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            period_len: None,
            model_type: SparseModelType::Linear,
            d_model: 128,
        }
    }
}

impl SparseTsfConfig {
    fn period(&self) -> usize {
        let lookback = self.windows.lookback;
        let by_season = || match self.windows.season.unwrap_or(SEASON) {
            season if season <= lookback / 2 => season,
            _ => SHORT.min(lookback),
        };
        self.period_len.unwrap_or_else(by_season).max(1)
    }

    fn past_periods(&self) -> usize {
        self.windows.lookback / self.period()
    }

    fn outputs(&self) -> usize {
        self.windows.horizon.div_ceil(self.period()) * self.windows.n_outputs
    }

    /// Steps between quantiles are no sums of the past alone.
    fn has_bias(&self) -> bool {
        self.model_type == SparseModelType::Mlp || self.windows.n_outputs > 1
    }

    fn kernel(&self) -> usize {
        1 + 2 * (self.period() / 2)
    }
}

impl ModuleConfig for SparseTsfConfig {
    type Module = SparseTsf;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        if let Some(period) = self.period_len {
            check::in_range("period_len", period, 1..=self.windows.lookback)?;
        }
        check::in_range("d_model", self.d_model, limits::WIDTH)
    }

    fn build(&self, device: &Device) -> SparseTsf {
        let (from, to) = (self.past_periods(), self.outputs());
        let layer = |from, to, bias| LinearConfig::new(from, to).with_bias(bias).init(device);
        let (hidden, head) = match self.model_type {
            SparseModelType::Linear => (None, layer(from, to, self.has_bias())),
            SparseModelType::Mlp => {
                let hidden = layer(from, self.d_model, true);
                (Some(hidden), layer(self.d_model, to, self.has_bias()))
            }
        };
        let like_torch = Initializer::KaimingUniform {
            gain: 1.0 / 3f64.sqrt(),
            fan_out_only: false,
        };
        let kernel = self.kernel();
        SparseTsf {
            conv: like_torch.init_with([1, 1, kernel], Some(kernel), None, device),
            hidden,
            head,
            period: self.period(),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for SparseTsfConfig {
    const NAME: &'static str = "sparse_tsf";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        several_outputs: true,
        own_level: true,
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
            period_len: Some(4),
            model_type: SparseModelType::Mlp,
            d_model: 13,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let model_type = match strategy {
            Strategy::Fast | Strategy::Balanced => SparseModelType::Linear,
            Strategy::Accurate => SparseModelType::Mlp,
        };
        let learning_rate = match model_type {
            SparseModelType::Linear => 0.02,
            SparseModelType::Mlp => 0.002,
        };
        Preset {
            config: Self {
                model_type,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate,
                weight_decay: 0.0,
                batch_size: Some(256),
                steps: 1.0,
                source: "the authors' scripts for ETTh1 (SparseTSF, scripts/SparseTSF/linear/etth1.sh, \
                         accurate: mlp/etth1.sh)",
            },
        }
    }
}

impl ParameterCount for SparseTsfConfig {
    fn parameter_count(&self) -> usize {
        let (from, to, width) = (self.past_periods(), self.outputs(), self.d_model);
        let map = match self.model_type {
            SparseModelType::Linear => from * to,
            SparseModelType::Mlp => (from + 1) * width + width * to,
        };
        let bias = if self.has_bias() { to } else { 0 };
        self.kernel() + map + bias
    }
}

impl ReferenceWeights for SparseTsfConfig {
    const REFERENCE: &'static str = "lss-1138/SparseTSF@b8c2740:models/SparseTSF.py:Model";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new().same("conv", "conv1d.weight");
        match self.model_type {
            SparseModelType::Linear if self.has_bias() => map.linear("head", "linear"),
            SparseModelType::Linear => map.transposed("head.weight", "linear.weight"),
            SparseModelType::Mlp => map.linear("hidden", "mlp.0").linear("head", "mlp.2"),
        }
    }
}
