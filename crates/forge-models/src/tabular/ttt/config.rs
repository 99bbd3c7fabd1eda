//! The recipe of a TTT backbone.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::tensor::Device;
use forge_nn::convolution::CausalConv1dConfig;
use forge_nn::position::{RotaryEmbeddingConfig, RotaryLayout};
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{TttBackbone, TttMixer, key_map};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Which model learns while it reads.
pub trait InnerModel: Debug + Clone + PartialEq + Default + Send + Sync + 'static {
    /// Name of the backbone.
    const NAME: &'static str;

    /// The authors' implementation.
    const REFERENCE: &'static str;

    /// Width of its hidden layer as a factor of a head's width; none: it is linear.
    const HIDDEN: Option<usize>;

    /// The default of the step sizes' factor.
    const BASE_RATE: f64;
}

/// Makes a [`TttBackbone`] whose layers learn the inner model `I`.
///
/// The default is the smallest model of the authors' code (125M: 12 layers, 768 wide).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "")]
pub struct TttBackboneConfig<I: InnerModel> {
    /// Width of a token, at least 1.
    pub hidden_size: usize,
    /// Width of the feed-forward part, at least 1.
    pub intermediate_size: usize,
    /// Number of layers, at least 1.
    pub num_hidden_layers: usize,
    /// Number of heads; divides `hidden_size` into even widths.
    pub num_attention_heads: usize,
    /// Tokens that learn from the same weights, at least 1.
    pub mini_batch_size: usize,
    /// Factor of the step sizes, above 0.
    pub ttt_base_lr: f64,
    /// Queries and keys from one projection, through a convolution each.
    pub share_qk: bool,
    /// A gate on what a layer gives.
    pub use_gate: bool,
    /// Tokens that the convolutions see, at least 1.
    pub conv_kernel: usize,
    /// Base of the rotary positions' frequencies, above 0.
    pub rope_theta: f64,
    /// Added to the mean square inside the norms' root; above 0.
    pub rms_norm_eps: f64,
    /// Nothing: which inner model is in the type.
    #[serde(skip)]
    #[doc(hidden)]
    pub inner: PhantomData<I>,
}

impl<I: InnerModel> Default for TttBackboneConfig<I> {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            mini_batch_size: 16,
            ttt_base_lr: I::BASE_RATE,
            share_qk: false,
            use_gate: false,
            conv_kernel: 4,
            rope_theta: 10_000.0,
            rms_norm_eps: 1e-6,
            inner: PhantomData,
        }
    }
}

impl<I: InnerModel> TttBackboneConfig<I> {
    /// Width of a head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    /// Width of the inner model's hidden layer, if it has one.
    pub(super) fn hidden(&self) -> Option<usize> {
        I::HIDDEN.map(|factor| factor * self.head_dim())
    }

    /// Input and output width of each layer of the inner model.
    pub(super) fn inner_sizes(&self) -> Vec<[usize; 2]> {
        let width = self.head_dim();
        match self.hidden() {
            None => vec![[width, width]],
            Some(hidden) => vec![[width, hidden], [hidden, width]],
        }
    }

    pub(super) fn convolution(&self) -> CausalConv1dConfig {
        CausalConv1dConfig::new(self.hidden_size, self.conv_kernel)
    }

    pub(super) fn rotary(&self) -> RotaryEmbeddingConfig {
        RotaryEmbeddingConfig::new(self.head_dim())
            .with_theta(self.rope_theta)
            .with_layout(RotaryLayout::Interleaved)
    }

    /// One layer without norms, residuals and feed-forward part.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn try_init_mixer(&self, device: &Device) -> Result<TttMixer, ForgeError> {
        self.validate()?;
        Ok(TttMixer::new(self, device))
    }

    /// Adds a [`TttMixer`] at `ours`, which the reference keeps at `theirs` (both end in a point, or are
    /// empty).
    #[must_use]
    pub fn mixer_key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        key_map::mixer(self, map, ours, theirs)
    }

    fn mixer_parameters(&self) -> usize {
        let (d, heads) = (self.hidden_size, self.num_attention_heads);
        let projections = if self.share_qk { 3 } else { 4 } + usize::from(self.use_gate);
        let convolutions = usize::from(self.share_qk) * 2 * self.convolution().parameter_count();
        let inner = self.inner_sizes().into_iter();
        let inner = inner.map(|[from, to]| (from + 1) * to);
        projections * d * d
            + convolutions
            + heads * inner.sum::<usize>()
            + 2 * d
            + heads * (d + 1)
            + self.mini_batch_size
            + 2 * d
    }
}

impl<I: InnerModel> ModuleConfig for TttBackboneConfig<I> {
    type Module = TttBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        let (d, heads) = (self.hidden_size, self.num_attention_heads);
        check::in_range("hidden_size", d, limits::WIDTH)?;
        check::in_range("intermediate_size", self.intermediate_size, limits::WIDTH)?;
        check::in_range("num_hidden_layers", self.num_hidden_layers, limits::BLOCKS)?;
        check::in_range("num_attention_heads", heads, limits::WIDTH)?;
        check::divides("num_attention_heads", heads, "hidden_size", d)?;
        if !self.head_dim().is_multiple_of(2) {
            let field = "hidden_size / num_attention_heads";
            return Err(ForgeError::config(field, self.head_dim(), "even"));
        }
        check::in_range("mini_batch_size", self.mini_batch_size, limits::WIDTH)?;
        check::positive("ttt_base_lr", self.ttt_base_lr)?;
        check::in_range("conv_kernel", self.conv_kernel, limits::WIDTH)?;
        check::positive("rope_theta", self.rope_theta)?;
        check::positive("rms_norm_eps", self.rms_norm_eps)
    }

    fn build(&self, device: &Device) -> TttBackbone {
        TttBackbone::new(self, device)
    }
}

impl<I: InnerModel> BackboneConfig for TttBackboneConfig<I> {
    const NAME: &'static str = I::NAME;
    const REFERENCE: &'static str = I::REFERENCE;

    fn d_token(&self) -> usize {
        self.hidden_size
    }

    fn parameter_count(&self) -> usize {
        let d = self.hidden_size;
        let layer = self.mixer_parameters() + 3 * d * self.intermediate_size + 2 * d;
        self.num_hidden_layers * layer
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        key_map::stack(self, map, ours, theirs)
    }

    fn smaller(self, by: Shrink) -> Self {
        let heads = self.num_attention_heads.saturating_mul(2);
        Self {
            hidden_size: by.width_of(self.hidden_size, heads),
            intermediate_size: by.width(self.intermediate_size),
            num_hidden_layers: by.depth(self.num_hidden_layers),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            hidden_size: 12,
            intermediate_size: 20,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            mini_batch_size: 4,
            share_qk: true,
            use_gate: true,
            conv_kernel: 3,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (hidden_size, num_hidden_layers, num_attention_heads) = match strategy {
            Strategy::Fast => (32, 2, 2),
            Strategy::Balanced => (64, 2, 4),
            Strategy::Accurate => (192, 4, 6),
        };
        Preset {
            config: Self {
                hidden_size,
                intermediate_size: hidden_size * 8 / 3,
                num_hidden_layers,
                num_attention_heads,
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
