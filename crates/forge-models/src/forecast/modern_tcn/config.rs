//! Sizes of ModernTCN as a forecaster.

use burn::tensor::Device;
use forge_nn::norm::RevInConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::ModernTcnForecaster;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ModernTcnSeriesConfig, ParameterCount, Preset, Strategy, TrainingPreset, limits};

/// Makes a [`ModernTcnForecaster`]. The default is the authors' for ETTh1: patches of 8 steps every 4,
/// one block 64 wide, kernels of 51 and 5, dropout 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModernTcnForecasterConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Steps in a patch, at least `patch_stride`.
    pub patch_size: usize,
    /// Steps from one patch to the next, at least 1 and at most those of a window.
    pub patch_stride: usize,
    /// Width of each stage, as many as `n_blocks`.
    pub dims: Vec<usize>,
    /// Blocks of each stage, at least 1 each.
    pub n_blocks: Vec<usize>,
    /// Patches that the large kernels of each stage cover, odd.
    pub large_size: Vec<usize>,
    /// Patches that the small kernels of each stage cover, odd, at most `large_size`.
    pub small_size: Vec<usize>,
    /// Patches that become one between two stages, at least 1.
    pub downsample_ratio: usize,
    /// Hidden width of the feed-forward parts, as a multiple of their input; at least 1.
    pub ffn_ratio: usize,
    /// Dropout inside and behind the feed-forward parts, in `[0, 1)`.
    pub dropout: f64,
    /// Take level and scale of each window out and give them back.
    pub revin: bool,
    /// Learn a scale and a shift of the normalised variables; only with `revin`.
    pub affine: bool,
    /// The level is the last value instead of the mean; only with `revin`.
    pub subtract_last: bool,
}

impl Default for ModernTcnForecasterConfig {
    fn default() -> Self {
        let encoder = ModernTcnSeriesConfig::default();
        Self {
            windows: SeriesSpec::default(),
            patch_size: encoder.patch_size,
            patch_stride: encoder.patch_stride,
            dims: encoder.dims,
            n_blocks: encoder.n_blocks,
            large_size: encoder.large_size,
            small_size: encoder.small_size,
            downsample_ratio: encoder.downsample_ratio,
            ffn_ratio: encoder.ffn_ratio,
            dropout: encoder.dropout,
            revin: true,
            affine: false,
            subtract_last: false,
        }
    }
}

impl ModernTcnForecasterConfig {
    fn encoder(&self) -> ModernTcnSeriesConfig {
        ModernTcnSeriesConfig {
            n_variables: self.windows.n_targets,
            patch_size: self.patch_size,
            patch_stride: self.patch_stride,
            dims: self.dims.clone(),
            n_blocks: self.n_blocks.clone(),
            large_size: self.large_size.clone(),
            small_size: self.small_size.clone(),
            downsample_ratio: self.downsample_ratio,
            ffn_ratio: self.ffn_ratio,
            dropout: self.dropout,
        }
    }

    fn head(&self) -> [usize; 2] {
        let width = self.dims.last().copied().unwrap_or(1);
        let features = self.encoder().patches(self.windows.lookback) * width;
        [features, self.windows.horizon * self.windows.n_outputs]
    }

    fn has_affine(&self) -> bool {
        self.revin && self.affine
    }

    fn check_stride(&self) -> Result<(), ForgeError> {
        check::in_range("patch_stride", self.patch_stride, 1..=self.windows.lookback)
    }
}

impl ModuleConfig for ModernTcnForecasterConfig {
    type Module = ModernTcnForecaster;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        check::in_range("n_targets", self.windows.n_targets, limits::WIDTH)?;
        self.check_stride()?;
        self.encoder().validate()
    }

    fn build(&self, device: &Device) -> ModernTcnForecaster {
        let [features, outputs] = self.head();
        let revin = RevInConfig::new(self.windows.n_targets)
            .with_affine(self.affine)
            .with_subtract_last(self.subtract_last);
        ModernTcnForecaster {
            revin: self.revin.then(|| revin.init(device)),
            encoder: self.encoder().build(device),
            head: LinearConfig::new(features, outputs).init(device),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for ModernTcnForecasterConfig {
    const NAME: &'static str = "modern_tcn";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        several_outputs: true,
        own_level: true,
        own_scale: true,
        batch_statistics: true,
        ..ForecastCapabilities::NONE
    };

    fn windows(&self) -> &SeriesSpec {
        &self.windows
    }

    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError> {
        let sized = Self { windows, ..self };
        sized.check_stride()?;
        Ok(sized)
    }

    fn narrow() -> Self {
        Self {
            patch_size: 4,
            patch_stride: 2,
            dims: vec![6, 8],
            n_blocks: vec![1, 1],
            large_size: vec![5, 3],
            small_size: vec![3, 1],
            ffn_ratio: 2,
            dropout: 0.05,
            affine: true,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let authors =
            "the authors' script for ETTh1 (ModernTCN-Long-term-forecasting, scripts/ETTh1.sh)";
        let few = "the authors' script for ETTh1, but for batch and rate (512 and 1e-4 there): measured on \
                   ETTh1, docs/results.md";
        let (batch_size, learning_rate, source) = match strategy {
            Strategy::Fast => (64, 3e-4, few),
            Strategy::Balanced | Strategy::Accurate => (512, 1e-4, authors),
        };
        Preset {
            config: Self::default(),
            training: TrainingPreset {
                learning_rate,
                weight_decay: 0.0,
                batch_size: Some(batch_size),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for ModernTcnForecasterConfig {
    fn parameter_count(&self) -> usize {
        let [features, outputs] = self.head();
        let affine = match self.has_affine() {
            true => 2 * self.windows.n_targets,
            false => 0,
        };
        affine + self.encoder().parameter_count() + (features + 1) * outputs
    }
}

impl ReferenceWeights for ModernTcnForecasterConfig {
    const REFERENCE: &'static str =
        "luodhhh/ModernTCN@56a9a2c0:ModernTCN-Long-term-forecasting/models/ModernTCN.py:Model";

    fn key_map(&self) -> KeyMap {
        let map = self.encoder().key_map().below("encoder.");
        let map = map.linear("head", "model.head.linear");
        ["weight", "bias"].iter().fold(map, |map, kind| {
            let theirs = format!("model.revin_layer.affine_{kind}");
            match self.has_affine() {
                true => map.same(&format!("revin.affine_{kind}"), &theirs),
                false => map.ignore(&theirs),
            }
        })
    }
}
