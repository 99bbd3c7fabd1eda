//! Sizes of TimeMixer.

use burn::nn::Initializer;
use burn::tensor::Device;
use forge_nn::norm::RevInConfig;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::model::Rest;
use super::scales::Scales;
use super::{PastDecomposableMixing, TimeMixer};
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset, limits};

/// How steps become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DownSampling {
    /// Their mean.
    #[default]
    Avg,
    /// The largest.
    Max,
}

/// Makes a [`TimeMixer`]. The default is the authors' for ETTh1: 2 blocks 16 wide, four scales of
/// halves, dropout 0.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeMixerConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Blocks, at least 1.
    pub e_layers: usize,
    /// Width of a step, at least 1.
    pub d_model: usize,
    /// Hidden width of the feed-forward parts, at least 1.
    pub d_ff: usize,
    /// Scales beside the series' own, 1 to 32; the coarsest must have a step left.
    pub down_sampling_layers: usize,
    /// Steps that become one from scale to scale, at least 2.
    pub down_sampling_window: usize,
    /// How they do.
    pub down_sampling_method: DownSampling,
    /// Variables are windows of their own; otherwise they make a step together.
    pub channel_independence: bool,
    /// Steps of the moving average that is the trend, odd.
    pub moving_avg: usize,
    /// Take level and scale of each scale out and give the finest one's back, with a learned scale and
    /// shift.
    pub use_norm: bool,
    /// Dropout on the embedded steps, in `[0, 1)`.
    pub dropout: f64,
}

impl Default for TimeMixerConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            e_layers: 2,
            d_model: 16,
            d_ff: 32,
            down_sampling_layers: 3,
            down_sampling_window: 2,
            down_sampling_method: DownSampling::Avg,
            channel_independence: true,
            moving_avg: 25,
            use_norm: true,
            dropout: 0.1,
        }
    }
}

impl TimeMixerConfig {
    pub(super) fn scales(&self) -> Scales {
        Scales {
            coarser: self.down_sampling_layers,
            window: self.down_sampling_window,
            pooling: self.down_sampling_method,
        }
    }

    /// Steps at each scale.
    pub(super) fn steps(&self) -> Vec<usize> {
        self.scales().steps(self.windows.lookback)
    }

    pub(super) fn ffn(&self) -> [usize; 3] {
        [self.d_model, self.d_ff, self.d_model]
    }

    /// Variables in a step.
    fn channels(&self) -> usize {
        match self.channel_independence {
            true => 1,
            false => self.windows.n_targets,
        }
    }

    /// The coarsest scale must have a step left.
    fn check_steps(&self) -> Result<(), ForgeError> {
        let (lookback, window) = (self.windows.lookback, self.down_sampling_window);
        let most = lookback.max(1).ilog(window.max(2)) as usize;
        if most == 0 {
            let allowed = format!("at least down_sampling_window = {window}");
            return Err(ForgeError::config("lookback", lookback, allowed));
        }
        if self.down_sampling_layers <= most {
            return Ok(());
        }
        let allowed = format!(
            "at most {most} with lookback = {lookback} and down_sampling_window = {window}: the \
             coarsest scale has no step left"
        );
        let found = self.down_sampling_layers;
        Err(ForgeError::config("down_sampling_layers", found, allowed))
    }

    fn outputs(&self) -> usize {
        self.windows.horizon * self.windows.n_outputs
    }
}

impl ModuleConfig for TimeMixerConfig {
    type Module = TimeMixer;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        check::in_range("e_layers", self.e_layers, limits::BLOCKS)?;
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("d_ff", self.d_ff, limits::WIDTH)?;
        check::in_range("down_sampling_layers", self.down_sampling_layers, 1..=32)?;
        let windows = 2..=*limits::WIDTH.end();
        check::in_range("down_sampling_window", self.down_sampling_window, windows)?;
        check::in_range("moving_avg", self.moving_avg, limits::WIDTH)?;
        check::odd("moving_avg", self.moving_avg)?;
        check::probability("dropout", self.dropout)?;
        self.check_steps()
    }

    fn build(&self, device: &Device) -> TimeMixer {
        let (width, spec) = (self.d_model, &self.windows);
        let (steps, channels) = (self.steps(), self.channels());
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let norm = RevInConfig::new(spec.n_targets);
        // As the authors start it: Kaiming with the slope of a leaky ReLU, over what a kernel sees.
        let start = Initializer::KaimingNormal {
            gain: (2.0 / (1.0 + 0.01_f64.powi(2))).sqrt(),
            fan_out_only: false,
        };
        let rest = |length: usize| Rest {
            first: linear(length, length),
            second: linear(length, self.outputs()),
        };
        TimeMixer {
            norms: match self.use_norm {
                true => steps.iter().map(|_| norm.init(device)).collect(),
                false => vec![],
            },
            embedding: start.init_with([width, channels, 3], Some(3 * channels), None, device),
            covariates: (spec.n_past > 0).then(|| {
                let layer = LinearConfig::new(spec.n_past, width);
                layer.with_bias(false).init(device)
            }),
            dropout: DropoutConfig::new(self.dropout).init(device),
            blocks: (0..self.e_layers)
                .map(|_| PastDecomposableMixing::new(self, device))
                .collect(),
            heads: steps
                .iter()
                .map(|length| linear(*length, spec.horizon))
                .collect(),
            projection: linear(width, channels * spec.n_outputs),
            rests: match self.channel_independence {
                true => vec![],
                false => steps.iter().map(|length| rest(*length)).collect(),
            },
            scales: self.scales(),
            kernel: self.moving_avg,
            windows: spec.clone(),
        }
    }
}

impl ForecastConfig for TimeMixerConfig {
    const NAME: &'static str = "timemixer";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        past_covariates: true,
        several_outputs: true,
        own_level: true,
        own_scale: true,
        ..ForecastCapabilities::NONE
    };

    fn windows(&self) -> &SeriesSpec {
        &self.windows
    }

    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError> {
        // A window too short for all scales has fewer of them.
        let most = windows
            .lookback
            .max(1)
            .ilog(self.down_sampling_window.max(2));
        let sized = Self {
            windows,
            down_sampling_layers: self.down_sampling_layers.min(most as usize),
            ..self
        };
        sized.check_steps()?;
        Ok(sized)
    }

    fn narrow() -> Self {
        Self {
            e_layers: 1,
            d_model: 12,
            d_ff: 13,
            down_sampling_layers: 2,
            moving_avg: 5,
            ..Self::default()
        }
    }

    fn preset(_: Strategy) -> Preset<Self> {
        Preset {
            config: Self::default(),
            training: TrainingPreset {
                learning_rate: 1e-2,
                weight_decay: 0.0,
                batch_size: Some(128),
                steps: 1.0,
                source: "the authors' script for ETTh1 (TimeMixer, \
                         scripts/long_term_forecast/ETT_script/TimeMixer_ETTh1_unify.sh)",
            },
        }
    }
}

impl ParameterCount for TimeMixerConfig {
    fn parameter_count(&self) -> usize {
        let (width, spec, steps) = (self.d_model, &self.windows, self.steps());
        let norms = match self.use_norm {
            true => steps.len() * 2 * spec.n_targets,
            false => 0,
        };
        let heads = |length: &usize| (length + 1) * spec.horizon;
        let rests = |length: &usize| (length + 1) * (length + self.outputs());
        norms
            + 3 * self.channels() * width
            + spec.n_past * width
            + self.e_layers * PastDecomposableMixing::parameter_count(self)
            + steps.iter().map(heads).sum::<usize>()
            + (width + 1) * self.channels() * spec.n_outputs
            + match self.channel_independence {
                true => 0,
                false => steps.iter().map(rests).sum::<usize>(),
            }
    }
}
