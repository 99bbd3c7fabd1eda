//! Sizes of N-HiTS.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::block::NHitsBlock;
use super::{NHits, NHitsActivation, NHitsInterpolation, NHitsPooling};
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Makes an [`NHits`]. The default is the authors' library's: three stacks of one block, two layers of
/// 512.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NHitsConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Blocks of each stack, each at least 1.
    pub n_blocks: Vec<usize>,
    /// Widths, from and to, of the layers of every block; each begins with the width that the one
    /// before ends with.
    pub mlp_units: Vec<[usize; 2]>,
    /// Steps that each stack pools, at least 1: the larger, the slower what it sees.
    pub n_pool_kernel_size: Vec<usize>,
    /// Steps per knot of each stack's forecast, at least 1: the larger, the smoother.
    pub n_freq_downsample: Vec<usize>,
    /// How steps are pooled.
    pub pooling_mode: NHitsPooling,
    /// What lies between knots.
    pub interpolation_mode: NHitsInterpolation,
    /// What stands between layers.
    pub activation: NHitsActivation,
    /// Dropout after each layer, in `[0, 1)`.
    pub dropout_prob_theta: f64,
    /// Values at padded steps reach the first block as they are, as in the authors' library; otherwise
    /// they count as 0.
    pub keep_padding: bool,
}

impl Default for NHitsConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            n_blocks: vec![1; 3],
            mlp_units: vec![[512; 2]; 2],
            n_pool_kernel_size: vec![2, 2, 1],
            n_freq_downsample: vec![4, 2, 1],
            pooling_mode: NHitsPooling::MaxPool1d,
            interpolation_mode: NHitsInterpolation::Linear,
            activation: NHitsActivation::ReLU,
            dropout_prob_theta: 0.0,
            keep_padding: false,
        }
    }
}

impl NHitsConfig {
    /// Knots of a forecast of stack `stack`.
    pub(super) fn knots(&self, stack: usize) -> usize {
        (self.windows.horizon / self.n_freq_downsample[stack]).max(1)
    }

    /// Width after the first and after the last layer.
    pub(super) fn ends(&self) -> (usize, usize) {
        let first = self.mlp_units.first().map_or(1, |unit| unit[0]);
        (first, self.mlp_units.last().map_or(1, |unit| unit[1]))
    }

    /// The stack of each block.
    fn stacks(&self) -> impl Iterator<Item = usize> {
        let blocks = self.n_blocks.iter().enumerate();
        blocks.flat_map(|(stack, blocks)| std::iter::repeat_n(stack, *blocks))
    }

    fn check_stacks(&self) -> Result<(), ForgeError> {
        limits::check_blocks("n_blocks", &self.n_blocks)?;
        let stacks = self.n_blocks.len();
        for (field, values) in [
            ("n_pool_kernel_size", &self.n_pool_kernel_size),
            ("n_freq_downsample", &self.n_freq_downsample),
        ] {
            if values.len() != stacks {
                let allowed = format!("{stacks} numbers, one for each stack of n_blocks");
                return Err(ForgeError::config(field, format!("{values:?}"), allowed));
            }
            for (i, value) in values.iter().enumerate() {
                check::in_range(&format!("{field}[{i}]"), *value, limits::STEPS)?;
            }
        }
        Ok(())
    }

    fn check_units(&self) -> Result<(), ForgeError> {
        check::in_range(
            "the length of mlp_units",
            self.mlp_units.len(),
            limits::BLOCKS,
        )?;
        let mut before = self.ends().0;
        for (i, [from, to]) in self.mlp_units.iter().enumerate() {
            let field = format!("mlp_units[{i}]");
            check::in_range(&field, *from, limits::WIDTH)?;
            check::in_range(&field, *to, limits::WIDTH)?;
            if *from != before {
                let allowed = format!("to begin with {before}, which the one before ends with");
                return Err(ForgeError::config(
                    &field,
                    format!("[{from}, {to}]"),
                    allowed,
                ));
            }
            before = *to;
        }
        Ok(())
    }
}

impl ModuleConfig for NHitsConfig {
    type Module = NHits;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        self.check_stacks()?;
        self.check_units()?;
        check::probability("dropout_prob_theta", self.dropout_prob_theta)
    }

    fn build(&self, device: &Device) -> NHits {
        NHits {
            blocks: self
                .stacks()
                .map(|stack| NHitsBlock::new(self, stack, device))
                .collect(),
            keep_padding: self.keep_padding,
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for NHitsConfig {
    const NAME: &'static str = "nhits";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        past_covariates: true,
        known: true,
        fixed: true,
        valid: true,
        several_outputs: true,
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
            n_blocks: vec![1, 2],
            mlp_units: vec![[16, 16], [16, 12]],
            n_pool_kernel_size: vec![2, 1],
            n_freq_downsample: vec![2, 1],
            dropout_prob_theta: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let of = |width| Self {
            mlp_units: vec![[width; 2]; 2],
            ..Self::default()
        };
        let (config, source) = match strategy {
            Strategy::Fast => (of(64), "this library's"),
            Strategy::Balanced => (of(256), "this library's"),
            Strategy::Accurate => (
                of(512),
                "the authors' defaults, neuralforecast 3.3.0; stacks: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 0.0,
                batch_size: Some(32),
                steps: 1.0,
                source,
            },
        }
    }
}

impl ParameterCount for NHitsConfig {
    fn parameter_count(&self) -> usize {
        self.stacks()
            .map(|stack| NHitsBlock::parameter_count(self, stack))
            .sum()
    }
}

impl ReferenceWeights for NHitsConfig {
    const REFERENCE: &'static str = "neuralforecast==3.3.0:NHITS";

    fn key_map(&self) -> KeyMap {
        let layers = self.mlp_units.len();
        let blocks = 0..self.stacks().count();
        blocks.fold(KeyMap::new(), |map, i| {
            let theirs = |layer: usize| format!("blocks.{i}.layers.{layer}");
            let map = map.linear(&format!("blocks.{i}.input"), &theirs(0));
            let map = (0..layers).fold(map, |map, j| {
                map.linear(&format!("blocks.{i}.layers.{j}"), &theirs(1 + 2 * j))
            });
            map.linear(&format!("blocks.{i}.output"), &theirs(1 + 2 * layers))
        })
    }
}
