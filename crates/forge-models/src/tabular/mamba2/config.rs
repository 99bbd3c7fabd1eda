//! The recipe of a Mamba-2 backbone.

use burn::tensor::Device;
use forge_nn::convolution::CausalConv1dConfig;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{Mamba2Backbone, Mamba2Mixer};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`Mamba2Backbone`].
///
/// The default is the smallest model of the paper (130M: 24 layers, 768 wide) with the settings of
/// the authors' code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mamba2BackboneConfig {
    /// Width of a token, at least 1.
    pub hidden_size: usize,
    /// Number of layers, at least 1.
    pub num_hidden_layers: usize,
    /// Channels per token width, at least 1.
    pub expand: usize,
    /// Channels per head; divides `hidden_size x expand`.
    pub head_dim: usize,
    /// States per channel, at least 1.
    pub state_size: usize,
    /// Groups of heads that share their inputs to and outputs from the states; divides the number
    /// of heads.
    pub n_groups: usize,
    /// Tokens that the convolution sees, at least 1.
    pub conv_kernel: usize,
    /// Biases of the projections in and out.
    pub use_bias: bool,
    /// A bias of the convolution.
    pub use_conv_bias: bool,
    /// Step sizes are not below this, at least 0.
    pub time_step_min: f64,
    /// Step sizes are not above this, at least `time_step_min`; null for no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_step_max: Option<f64>,
    /// Added to the mean square inside the norms' root; above 0.
    pub layer_norm_epsilon: f64,
}

impl Default for Mamba2BackboneConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 24,
            expand: 2,
            head_dim: 64,
            state_size: 128,
            n_groups: 1,
            conv_kernel: 4,
            use_bias: false,
            use_conv_bias: true,
            time_step_min: 0.0,
            time_step_max: None,
            layer_norm_epsilon: 1e-5,
        }
    }
}

impl Mamba2BackboneConfig {
    /// Channels inside a layer, `E`.
    #[must_use]
    pub fn d_inner(&self) -> usize {
        self.hidden_size.saturating_mul(self.expand)
    }

    /// Number of heads.
    #[must_use]
    pub fn num_heads(&self) -> usize {
        self.d_inner() / self.head_dim.max(1)
    }

    /// Width of the inputs to the states of all groups, and of the outputs from them.
    pub(super) fn d_states(&self) -> usize {
        self.n_groups.saturating_mul(self.state_size)
    }

    pub(super) fn convolution(&self) -> CausalConv1dConfig {
        let channels = self
            .d_inner()
            .saturating_add(self.d_states().saturating_mul(2));
        CausalConv1dConfig::new(channels, self.conv_kernel).with_bias(self.use_conv_bias)
    }

    /// One layer without its norm and residual.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn try_init_mixer(&self, device: &Device) -> Result<Mamba2Mixer, ForgeError> {
        self.validate()?;
        Ok(Mamba2Mixer::new(self, device))
    }

    /// Adds a [`Mamba2Mixer`] at `ours`, which the reference keeps at `theirs` (both end in a point, or
    /// are empty).
    #[must_use]
    pub fn mixer_key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let same = |map: KeyMap, our: &str, their: &str| {
            map.same(&format!("{ours}{our}"), &format!("{theirs}{their}"))
        };
        let linear = |map: KeyMap, name: &str| {
            let (ours, theirs) = (format!("{ours}{name}"), format!("{theirs}{name}"));
            if self.use_bias {
                return map.linear(&ours, &theirs);
            }
            map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight"))
        };
        let map = linear(linear(map, "in_proj"), "out_proj");
        let map = same(map, "conv1d.weight", "conv1d.weight");
        let map = match self.use_conv_bias {
            true => same(map, "conv1d.bias", "conv1d.bias"),
            false => map,
        };
        let map = same(map, "dt_bias", "dt_bias");
        let map = same(map, "a_log", "A_log");
        let map = same(map, "d", "D");
        same(map, "norm", "norm.weight")
    }
}

impl ModuleConfig for Mamba2BackboneConfig {
    type Module = Mamba2Backbone;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("hidden_size", self.hidden_size, limits::WIDTH)?;
        check::in_range("num_hidden_layers", self.num_hidden_layers, limits::BLOCKS)?;
        check::in_range("expand", self.expand, limits::WIDTH)?;
        let inner = self.d_inner();
        check::in_range("hidden_size x expand", inner, limits::WIDTH)?;
        check::in_range("head_dim", self.head_dim, limits::WIDTH)?;
        check::divides("head_dim", self.head_dim, "hidden_size x expand", inner)?;
        check::in_range("state_size", self.state_size, limits::WIDTH)?;
        check::in_range("n_groups", self.n_groups, limits::WIDTH)?;
        check::divides(
            "n_groups",
            self.n_groups,
            "number of heads",
            self.num_heads(),
        )?;
        check::in_range("n_groups x state_size", self.d_states(), limits::WIDTH)?;
        check::in_range("conv_kernel", self.conv_kernel, limits::WIDTH)?;
        check::in_range("time_step_min", self.time_step_min, 0.0..f64::INFINITY)?;
        if let Some(max) = self.time_step_max {
            check::in_range("time_step_max", max, self.time_step_min..f64::INFINITY)?;
        }
        check::positive("layer_norm_epsilon", self.layer_norm_epsilon)
    }

    fn build(&self, device: &Device) -> Mamba2Backbone {
        let mixers = (0..self.num_hidden_layers).map(|_| Mamba2Mixer::new(self, device));
        Mamba2Backbone::new(mixers, self.hidden_size, self.layer_norm_epsilon, device)
    }
}

impl BackboneConfig for Mamba2BackboneConfig {
    const NAME: &'static str = "mamba2";
    const REFERENCE: &'static str = "transformers==5.23.0:Mamba2Mixer";

    fn d_token(&self) -> usize {
        self.hidden_size
    }

    fn parameter_count(&self) -> usize {
        let (width, inner, heads) = (self.hidden_size, self.d_inner(), self.num_heads());
        let projected = 2 * inner + 2 * self.d_states() + heads;
        let biases = usize::from(self.use_bias) * (projected + width);
        let layer = width * (projected + inner)
            + biases
            + self.convolution().parameter_count()
            + 3 * heads
            + inner
            + width;
        self.num_hidden_layers * layer
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let layers = self.num_hidden_layers;
        Mamba2Backbone::key_map(map, layers, ours, theirs, |map, ours, theirs| {
            self.mixer_key_map(map, ours, theirs)
        })
    }

    fn smaller(self, by: Shrink) -> Self {
        // Such that whole heads stay, and as many as there are groups.
        let heads = self.head_dim.saturating_mul(self.n_groups);
        Self {
            hidden_size: by.width_of(self.hidden_size, heads),
            num_hidden_layers: by.depth(self.num_hidden_layers),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            hidden_size: 12,
            num_hidden_layers: 2,
            head_dim: 4,
            state_size: 5,
            n_groups: 2,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (hidden_size, num_hidden_layers, head_dim, state_size) = match strategy {
            Strategy::Fast => (32, 2, 16, 16),
            Strategy::Balanced => (64, 2, 16, 32),
            Strategy::Accurate => (192, 4, 64, 64),
        };
        Preset {
            config: Self {
                hidden_size,
                num_hidden_layers,
                head_dim,
                state_size,
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
