//! Sizes of NLinear.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig};
use serde::{Deserialize, Serialize};

use super::NLinear;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec, StepsLinear};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Makes an [`NLinear`]. The default is the authors': one map for all variables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NLinearConfig {
    /// The windows.
    pub windows: SeriesSpec,
    /// Each variable has a map of its own.
    pub individual: bool,
}

impl NLinearConfig {
    fn each(&self) -> Option<usize> {
        self.individual.then_some(self.windows.n_targets)
    }

    fn outputs(&self) -> usize {
        self.windows.horizon * self.windows.n_outputs
    }
}

impl ModuleConfig for NLinearConfig {
    type Module = NLinear;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)
    }

    fn build(&self, device: &Device) -> NLinear {
        let from = self.windows.lookback;
        NLinear {
            linear: StepsLinear::new(from, self.outputs(), self.each(), device),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for NLinearConfig {
    const NAME: &'static str = "nlinear";
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
        Self::default()
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

impl ParameterCount for NLinearConfig {
    fn parameter_count(&self) -> usize {
        StepsLinear::parameter_count(self.windows.lookback, self.outputs(), self.each())
    }
}

impl ReferenceWeights for NLinearConfig {
    const REFERENCE: &'static str = "cure-lab/LTSF-Linear@0c11366:models/NLinear.py:Model";

    fn key_map(&self) -> KeyMap {
        StepsLinear::key_map(KeyMap::new(), "linear", "Linear", self.each())
    }
}
