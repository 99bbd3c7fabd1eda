//! The recipe of a Mamba backbone.

use burn::tensor::Device;
use forge_nn::convolution::CausalConv1dConfig;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{MambaBackbone, MambaMixer};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`MambaBackbone`].
///
/// The default is the smallest model of the paper (130M: 24 layers, 768 wide) with the settings of
/// the authors' code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MambaBackboneConfig {
    /// Width of a token, at least 1.
    pub d_model: usize,
    /// Number of layers, at least 1.
    pub n_layers: usize,
    /// States per channel, at least 1.
    pub d_state: usize,
    /// Channels per token width, at least 1.
    pub expand_factor: usize,
    /// Rank of the step sizes, at least 1; null for a sixteenth of the token's width, rounded up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt_rank: Option<usize>,
    /// Tokens that the convolution sees, at least 1.
    pub d_conv: usize,
    /// Biases of the projections in and out.
    pub bias: bool,
    /// A bias of the convolution.
    pub conv_bias: bool,
    /// Added to the mean square inside the norms' root; above 0.
    pub rms_norm_eps: f64,
}

impl Default for MambaBackboneConfig {
    fn default() -> Self {
        Self {
            d_model: 768,
            n_layers: 24,
            d_state: 16,
            expand_factor: 2,
            dt_rank: None,
            d_conv: 4,
            bias: false,
            conv_bias: true,
            rms_norm_eps: 1e-5,
        }
    }
}

impl MambaBackboneConfig {
    /// Channels inside a layer, `E`.
    #[must_use]
    pub fn d_inner(&self) -> usize {
        self.d_model.saturating_mul(self.expand_factor)
    }

    /// The rank of the step sizes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.dt_rank.unwrap_or_else(|| self.d_model.div_ceil(16))
    }

    pub(super) fn convolution(&self) -> CausalConv1dConfig {
        CausalConv1dConfig::new(self.d_inner(), self.d_conv).with_bias(self.conv_bias)
    }

    /// One layer without its norm and residual.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn try_init_mixer(&self, device: &Device) -> Result<MambaMixer, ForgeError> {
        self.validate()?;
        Ok(MambaMixer::new(self, device))
    }

    /// Adds a [`MambaMixer`] at `ours`, which the reference keeps at `theirs` (both end in a point, or
    /// are empty).
    #[must_use]
    pub fn mixer_key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let place = |name: &str| (format!("{ours}{name}"), format!("{theirs}{name}"));
        let linear = |map: KeyMap, name: &str, bias: bool| {
            let (ours, theirs) = place(name);
            if bias {
                return map.linear(&ours, &theirs);
            }
            map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight"))
        };
        let map = linear(map, "in_proj", self.bias);
        let map = linear(map, "x_proj", false);
        let map = linear(map, "dt_proj", true);
        let map = linear(map, "out_proj", self.bias);
        let (a, conv) = (place("A_log"), place("conv1d"));
        let map = map
            .same(&format!("{ours}a_log"), &a.1)
            .same(&format!("{ours}d"), &place("D").1)
            .same(&format!("{}.weight", conv.0), &format!("{}.weight", conv.1));
        match self.conv_bias {
            true => map.same(&format!("{}.bias", conv.0), &format!("{}.bias", conv.1)),
            false => map,
        }
    }
}

impl ModuleConfig for MambaBackboneConfig {
    type Module = MambaBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check::in_range("n_layers", self.n_layers, limits::BLOCKS)?;
        check::in_range("d_state", self.d_state, limits::WIDTH)?;
        check::in_range("expand_factor", self.expand_factor, limits::WIDTH)?;
        check::in_range("d_model x expand_factor", self.d_inner(), limits::WIDTH)?;
        check::in_range("dt_rank", self.rank(), limits::WIDTH)?;
        check::in_range("d_conv", self.d_conv, limits::WIDTH)?;
        check::positive("rms_norm_eps", self.rms_norm_eps)
    }

    fn build(&self, device: &Device) -> MambaBackbone {
        let mixers = (0..self.n_layers).map(|_| MambaMixer::new(self, device));
        MambaBackbone::new(mixers, self.d_model, self.rms_norm_eps, device)
    }
}

impl BackboneConfig for MambaBackboneConfig {
    const NAME: &'static str = "mamba";
    const REFERENCE: &'static str = "mambapy==1.2.0:Mamba";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        let (width, inner, rank, states) =
            (self.d_model, self.d_inner(), self.rank(), self.d_state);
        let biases = usize::from(self.bias) * (2 * inner + width);
        let layer = 3 * width * inner
            + biases
            + inner * (rank + 2 * states)
            + (rank + 1) * inner
            + inner * (states + 1)
            + self.convolution().parameter_count()
            + width;
        self.n_layers * layer
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        MambaBackbone::key_map(map, self.n_layers, ours, theirs, |map, ours, theirs| {
            self.mixer_key_map(map, ours, theirs)
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_model: by.width(self.d_model),
            n_layers: by.depth(self.n_layers),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_model: 12,
            n_layers: 2,
            d_state: 4,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (d_model, n_layers) = match strategy {
            Strategy::Fast => (32, 2),
            Strategy::Balanced => (64, 2),
            Strategy::Accurate => (192, 4),
        };
        Preset {
            config: Self {
                d_model,
                n_layers,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's",
            },
        }
    }
}
