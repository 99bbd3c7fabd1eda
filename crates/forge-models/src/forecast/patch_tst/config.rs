//! Sizes of PatchTST.

use burn::module::Param;
use burn::nn::Initializer;
use burn::tensor::Device;
use forge_nn::norm::RevInConfig;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{PatchTst, PatchTstLayer};
use crate::forecast::patching::Patching;
use crate::forecast::{
    ForecastCapabilities, ForecastConfig, HiddenActivation, SeriesSpec, StepsLinear,
};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset, limits};

/// Makes a [`PatchTst`]. The default is the paper's: patches of 16 steps every 8, 3 layers 128 wide
/// with 16 heads and feed-forward parts 256 wide, dropout 0.2, residual attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchTstConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Steps in a patch, at most those of a window (and `stride` more with `pad_end`).
    pub patch_len: usize,
    /// Steps from one patch to the next, at most those of a window.
    pub stride: usize,
    /// The last value stands `stride` times more behind the window: one patch more.
    pub pad_end: bool,
    /// Layers, at least 1.
    pub e_layers: usize,
    /// Width of a token, a multiple of `n_heads`.
    pub d_model: usize,
    /// Heads of the attention, at least 1.
    pub n_heads: usize,
    /// Hidden width of the feed-forward parts, at least 1.
    pub d_ff: usize,
    /// Between the two layers of a feed-forward part.
    pub act: HiddenActivation,
    /// The scores of a layer's attention are added to those of the next.
    pub res_attention: bool,
    /// Norms before the parts of a layer instead of behind them.
    pub pre_norm: bool,
    /// Each variable has a head of its own.
    pub individual: bool,
    /// Take level and scale of each window out and give them back.
    pub revin: bool,
    /// Learn a scale and a shift of the normalised variables; only with `revin`.
    pub affine: bool,
    /// The level is the last value instead of the mean; only with `revin`.
    pub subtract_last: bool,
    /// Dropout on tokens, hidden values and what the parts of a layer add, in `[0, 1)`.
    pub dropout: f64,
    /// Dropout on the forecast before its scale is given back, in `[0, 1)`.
    pub head_dropout: f64,
}

impl Default for PatchTstConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            patch_len: 16,
            stride: 8,
            pad_end: true,
            e_layers: 3,
            d_model: 128,
            n_heads: 16,
            d_ff: 256,
            act: HiddenActivation::Gelu,
            res_attention: true,
            pre_norm: false,
            individual: false,
            revin: true,
            affine: false,
            subtract_last: false,
            dropout: 0.2,
            head_dropout: 0.0,
        }
    }
}

impl PatchTstConfig {
    pub(super) fn patching(&self) -> Patching {
        Patching {
            length: self.patch_len,
            stride: self.stride,
            padded: self.pad_end,
        }
    }

    fn patches(&self) -> usize {
        self.patching().count(self.windows.lookback)
    }

    pub(super) fn each(&self) -> Option<usize> {
        self.individual.then_some(self.windows.n_targets)
    }

    fn head(&self) -> [usize; 2] {
        let outputs = self.windows.horizon * self.windows.n_outputs;
        [self.patches() * self.d_model, outputs]
    }

    pub(super) fn has_affine(&self) -> bool {
        self.revin && self.affine
    }
}

impl ModuleConfig for PatchTstConfig {
    type Module = PatchTst;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        self.patching().validate(self.windows.lookback)?;
        check::in_range("e_layers", self.e_layers, limits::BLOCKS)?;
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::in_range("d_ff", self.d_ff, limits::WIDTH)?;
        check::probability("dropout", self.dropout)?;
        check::probability("head_dropout", self.head_dropout)
    }

    fn build(&self, device: &Device) -> PatchTst {
        let (width, [features, outputs]) = (self.d_model, self.head());
        let revin = RevInConfig::new(self.windows.n_targets)
            .with_affine(self.affine)
            .with_subtract_last(self.subtract_last);
        let start = Initializer::Uniform {
            min: -0.02,
            max: 0.02,
        };
        let positions: Param<_> = start.init([self.patches(), width], device);
        PatchTst {
            revin: self.revin.then(|| revin.init(device)),
            embedding: LinearConfig::new(self.patch_len, width).init(device),
            positions,
            dropout: DropoutConfig::new(self.dropout).init(device),
            layers: (0..self.e_layers)
                .map(|_| PatchTstLayer::new(self, device))
                .collect(),
            head: StepsLinear::new(features, outputs, self.each(), device),
            head_dropout: DropoutConfig::new(self.head_dropout).init(device),
            hands_on: self.res_attention,
            patching: self.patching(),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for PatchTstConfig {
    const NAME: &'static str = "patch_tst";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        several_outputs: true,
        own_level: true,
        own_scale: true,
        attention_maps: true,
        batch_statistics: true,
        ..ForecastCapabilities::NONE
    };

    fn windows(&self) -> &SeriesSpec {
        &self.windows
    }

    fn with_windows(self, windows: SeriesSpec) -> Result<Self, ForgeError> {
        let sized = Self { windows, ..self };
        sized.patching().validate(sized.windows.lookback)?;
        Ok(sized)
    }

    fn narrow() -> Self {
        Self {
            patch_len: 5,
            stride: 3,
            e_layers: 2,
            d_model: 8,
            n_heads: 2,
            d_ff: 11,
            affine: true,
            dropout: 0.05,
            head_dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let small = Self {
            d_model: 16,
            n_heads: 4,
            d_ff: 128,
            dropout: 0.3,
            ..Self::default()
        };
        let (config, learning_rate, source) = match strategy {
            Strategy::Fast | Strategy::Balanced => (
                small,
                1e-3,
                "the authors' script for ETTh1 (PatchTST_supervised/scripts/PatchTST/etth1.sh), but for its rate \
                 of 1e-4, which is for 100 epochs: measured on ETTh1, docs/results.md",
            ),
            Strategy::Accurate => (
                Self::default(),
                1e-4,
                "the authors' script for weather (PatchTST_supervised/scripts/PatchTST/weather.sh)",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate,
                weight_decay: 0.0,
                batch_size: Some(128),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for PatchTstConfig {
    fn parameter_count(&self) -> usize {
        let (width, [features, outputs]) = (self.d_model, self.head());
        let attention = 4 * (width + 1) * width;
        let ffn = (width + 1) * self.d_ff + (self.d_ff + 1) * width;
        let layer = attention + ffn + 4 * width;
        let affine = if self.has_affine() {
            2 * self.windows.n_targets
        } else {
            0
        };
        affine
            + (self.patch_len + 1) * width
            + self.patches() * width
            + self.e_layers * layer
            + StepsLinear::parameter_count(features, outputs, self.each())
    }
}
