//! Sizes of FITS.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{ComplexLinear, Fits};
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{ParameterCount, Preset, Strategy, TrainingPreset};

/// Harmonics of the season below the cut-off, the authors' for their best figures (`H_order`).
const HARMONICS: usize = 6;
/// The season where none is known, that of hours (`base_T`).
const SEASON: usize = 24;

/// Makes a [`Fits`]. The default is the authors' for ETTh1: six harmonics of the season, one map for
/// all variables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitsConfig {
    /// The windows; two steps at least.
    pub windows: SeriesSpec,
    /// Frequencies of the window that are kept, from the mean on, 1 to half of its steps. Default: six
    /// for each season of the window and six more, and ten, as the authors have it, or all.
    pub cut_freq: Option<usize>,
    /// Each variable has a map of its own.
    pub individual: bool,
}

impl FitsConfig {
    fn maps(&self) -> usize {
        if self.individual {
            self.windows.n_targets
        } else {
            1
        }
    }

    fn kept(&self) -> usize {
        let lookback = self.windows.lookback;
        self.cut_freq.unwrap_or_else(|| {
            let seasons = lookback / self.windows.season.unwrap_or(SEASON).max(1) + 1;
            (seasons * HARMONICS + 10).min(lookback / 2)
        })
    }

    /// Frequencies of window and forecast together: as many per step.
    fn frequencies(&self) -> usize {
        let SeriesSpec {
            lookback, horizon, ..
        } = self.windows;
        self.kept() * (lookback + horizon) / lookback.max(1)
    }

    fn outputs(&self) -> usize {
        self.frequencies() * self.windows.n_outputs
    }

    fn levels(&self) -> Option<usize> {
        let outputs = self.windows.n_outputs;
        (outputs > 1).then_some(self.windows.horizon * outputs)
    }
}

impl ModuleConfig for FitsConfig {
    type Module = Fits;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        check::in_range("lookback", self.windows.lookback, 2..)?;
        check::in_range("cut_freq", self.kept(), 1..=self.windows.lookback / 2)
    }

    fn build(&self, device: &Device) -> Fits {
        let map = |_| ComplexLinear::new(self.kept(), self.outputs(), device);
        Fits {
            maps: (0..self.maps()).map(map).collect(),
            levels: (self.levels()).map(|size| Param::from_tensor(Tensor::zeros([size], device))),
            cut_freq: self.kept(),
            frequencies: self.frequencies(),
            windows: self.windows.clone(),
        }
    }
}

impl ForecastConfig for FitsConfig {
    const NAME: &'static str = "fits";
    const CAPABILITIES: ForecastCapabilities = ForecastCapabilities {
        several_targets: true,
        several_outputs: true,
        own_level: true,
        own_scale: true,
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
            individual: true,
            ..Self::default()
        }
    }

    fn preset(_: Strategy) -> Preset<Self> {
        Preset {
            config: Self::default(),
            training: TrainingPreset {
                learning_rate: 5e-4,
                weight_decay: 0.0,
                batch_size: Some(128),
                steps: 2.0,
                source: "the authors' script for ETTh1 (FITS, scripts/FITS/etth1_best.sh), whose batches \
                         are twice what it says; steps: theirs, 100 epochs, would be ten times as many",
            },
        }
    }
}

impl ParameterCount for FitsConfig {
    fn parameter_count(&self) -> usize {
        self.maps() * ComplexLinear::parameter_count(self.kept(), self.outputs())
            + self.levels().unwrap_or(0)
    }
}

impl ReferenceWeights for FitsConfig {
    const REFERENCE: &'static str = "VEWOXIC/FITS@d040bb0:models/FITS.py:Model";

    fn key_map(&self) -> KeyMap {
        let theirs = |i| match self.individual {
            true => format!("freq_upsampler.{i}"),
            false => "freq_upsampler".to_string(),
        };
        let map = match self.levels() {
            Some(_) => KeyMap::new().same("levels", "levels"),
            None => KeyMap::new(),
        };
        (0..self.maps()).fold(map, |map, i| {
            ComplexLinear::key_map(map, &format!("maps.{i}"), &theirs(i))
        })
    }
}
