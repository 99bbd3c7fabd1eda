//! Sizes of DLinear.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::DLinear;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec, StepsLinear};
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Makes a [`DLinear`]. The default is the authors': averages over 25 steps, one map for all
/// variables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DLinearConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Steps of the moving average that is the trend, odd.
    pub kernel_size: usize,
    /// Each variable has maps of its own.
    pub individual: bool,
}

impl Default for DLinearConfig {
    fn default() -> Self {
        Self {
            windows: SeriesSpec::default(),
            kernel_size: 25,
            individual: false,
        }
    }
}

impl DLinearConfig {
    fn each(&self) -> Option<usize> {
        self.individual.then_some(self.windows.n_targets)
    }

    fn outputs(&self) -> usize {
        self.windows.horizon * self.windows.n_outputs
    }
}

impl ModuleConfig for DLinearConfig {
    type Module = DLinear;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        check::in_range("kernel_size", self.kernel_size, limits::STEPS)?;
        check::odd("kernel_size", self.kernel_size)
    }

    fn build(&self, device: &Device) -> DLinear {
        let map = || {
            let from = self.windows.lookback;
            StepsLinear::new(from, self.outputs(), self.each(), device)
        };
        DLinear {
            seasonal: map(),
            trend: map(),
            kernel_size: self.kernel_size,
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for DLinearConfig {
    const NAME: &'static str = "dlinear";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
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
            kernel_size: 5,
            ..Self::default()
        }
    }

    fn preset(_: Strategy) -> Preset<Self> {
        Preset {
            config: Self::default(),
            training: TrainingPreset {
                learning_rate: 5e-3,
                weight_decay: 0.0,
                batch_size: Some(32),
                steps: 1.0,
                source: "the authors' script for ETTh1 (LTSF-Linear, scripts/EXP-LongForecasting)",
            },
        }
    }
}

impl ParameterCount for DLinearConfig {
    fn parameter_count(&self) -> usize {
        2 * StepsLinear::parameter_count(self.windows.lookback, self.outputs(), self.each())
    }
}

impl ReferenceWeights for DLinearConfig {
    const REFERENCE: &'static str = "cure-lab/LTSF-Linear@0c11366:models/DLinear.py:Model";

    fn key_map(&self) -> KeyMap {
        let map = StepsLinear::key_map(KeyMap::new(), "seasonal", "Linear_Seasonal", self.each());
        StepsLinear::key_map(map, "trend", "Linear_Trend", self.each())
    }
}
