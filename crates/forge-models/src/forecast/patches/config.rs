//! The config of a forecaster over a backbone.

use burn::tensor::Device;
use forge_nn::norm::RevInConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::head::PatchOutput;
use super::{PatchHead, PatchModel};
use crate::forecast::patching::Patching;
use crate::forecast::{ForecastCapabilities, ForecastConfig, SeriesSpec};
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::{Backbone, BackboneConfig};
use crate::{ParameterCount, Preset, Strategy};

/// Makes a [`PatchModel`]: the windows, how they are cut, and the backbone's own config.
///
/// `{"windows": {…}, "patch_len": 16, "stride": 8, "backbone": {…}}`. A backbone that is left out is
/// the default's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchConfig<C> {
    /// The windows.
    #[serde(default)]
    pub windows: SeriesSpec,
    /// Steps in a patch, at most those of a window (and `stride` more with `pad_end`). Default 16.
    #[serde(default = "sixteen")]
    pub patch_len: usize,
    /// Steps from one patch to the next, at most those of a window. Default 8.
    #[serde(default = "eight")]
    pub stride: usize,
    /// The last value stands `stride` times more behind the window: one patch more. Default true.
    #[serde(default = "yes")]
    pub pad_end: bool,
    /// Take level and scale of each window out and give them back. Default true.
    #[serde(default = "yes")]
    pub revin: bool,
    /// What makes the forecast; absent: the last patch under a backbone that is always causal, all
    /// patches under others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<PatchHead>,
    /// Dropout on what makes the forecast, in `[0, 1)`. Default 0.
    #[serde(default)]
    pub head_dropout: f64,
    /// The backbone.
    #[serde(default)]
    pub backbone: C,
}

fn sixteen() -> usize {
    16
}

fn eight() -> usize {
    8
}

fn yes() -> bool {
    true
}

impl<C> PatchConfig<C> {
    /// A backbone under the default patches and windows that are not set yet.
    pub fn new(backbone: C) -> Self {
        Self {
            windows: SeriesSpec::default(),
            patch_len: sixteen(),
            stride: eight(),
            pad_end: true,
            revin: true,
            head: None,
            head_dropout: 0.0,
            backbone,
        }
    }

    fn patching(&self) -> Patching {
        Patching {
            length: self.patch_len,
            stride: self.stride,
            padded: self.pad_end,
        }
    }

    fn patches(&self) -> usize {
        self.patching().count(self.windows.lookback)
    }

    fn outputs(&self) -> usize {
        self.windows.horizon * self.windows.n_outputs
    }
}

impl<C: Default> Default for PatchConfig<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<C: BackboneConfig> PatchConfig<C> {
    /// What makes the forecast, decided.
    fn head(&self) -> PatchHead {
        let usual = match C::Module::CAUSAL {
            true => PatchHead::Last,
            false => PatchHead::Flatten,
        };
        self.head.unwrap_or(usual)
    }

    /// Patches that are read, and their width.
    fn read(&self) -> [usize; 2] {
        let patches = self.head().patches(self.patches());
        [patches, self.backbone.d_token()]
    }
}

impl<C: BackboneConfig> ModuleConfig for PatchConfig<C> {
    type Module = PatchModel<C::Module>;

    fn validate(&self) -> Result<(), ForgeError> {
        self.windows.validate()?;
        self.windows.check_takes(Self::NAME, Self::CAPABILITIES)?;
        self.patching().validate(self.windows.lookback)?;
        check::probability("head_dropout", self.head_dropout)?;
        self.backbone.validate()?;
        self.backbone.validate_tokens(self.patches())
    }

    fn build(&self, device: &Device) -> PatchModel<C::Module> {
        let norm = RevInConfig::new(self.windows.n_targets).with_affine(false);
        let width = self.backbone.d_token();
        PatchModel {
            revin: self.revin.then(|| norm.init(device)),
            embedding: LinearConfig::new(self.patch_len, width).init(device),
            backbone: self.backbone.build(device),
            output: PatchOutput::new(self.read(), self.outputs(), self.head_dropout, device),
            head: self.head(),
            patching: self.patching(),
            windows: self.windows.clone(),
            name: C::NAME,
        }
    }
}

impl<C: BackboneConfig> ForecastConfig for PatchConfig<C> {
    const NAME: &'static str = C::NAME;
    const CAPABILITIES: ForecastCapabilities = PatchModel::<C::Module>::CAPABILITIES;

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
            patch_len: 6,
            stride: 5,
            head_dropout: 0.05,
            ..Self::new(C::narrow())
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        C::preset(strategy).map(Self::new)
    }
}

impl<C: BackboneConfig> ParameterCount for PatchConfig<C> {
    fn parameter_count(&self) -> usize {
        (self.patch_len + 1) * self.backbone.d_token()
            + self.backbone.parameter_count()
            + PatchOutput::parameter_count(self.read(), self.outputs())
    }
}

impl<C: BackboneConfig> ReferenceWeights for PatchConfig<C> {
    const REFERENCE: &'static str = C::REFERENCE;

    /// The backbone's tensors under `backbone.` with the reference's names; the others, which no
    /// reference has, under their own.
    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new()
            .linear("embedding", "embedding")
            .norm("output.norm", "output.norm")
            .linear("output.linear", "output.linear");
        self.backbone.key_map(map, "backbone.", "backbone.")
    }
}
