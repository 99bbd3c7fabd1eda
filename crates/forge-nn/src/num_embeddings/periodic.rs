//! Sines and cosines of learnt frequencies.

use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};

use crate::config_macro::config;
use crate::ops::{Axes, LinearActivation, cos_sin};
use crate::parameters::drawn;
use crate::{
    ForgeError, GroupedLinear, GroupedLinearConfig, Linear, LinearConfig, ModuleConfig, check,
};

/// Most frequencies of a feature.
const MOST: usize = 65_536;

config! {
    /// Sines and cosines of learnt frequencies, mixed: the authors' `PLR` (with an activation),
    /// `PL` (without) and `PLR(lite)` embeddings.
    pub struct PeriodicEmbeddingsConfig {
        /// Width of a feature's vector, at least 1. Absent: the model's width of a token where it
        /// has one, 24 elsewhere.
        #[config(default = None)]
        pub d_embedding: Option<usize>,
        /// Frequencies per feature, at least 1.
        #[config(default = 48)]
        pub n_frequencies: usize,
        /// Standard deviation `σ` of the first frequencies, above 0: the field to tune, between
        /// 0.01 and 100 in the paper. A normal distribution cut at `3σ`.
        #[config(default = 0.01)]
        pub frequency_init_scale: f64,
        /// Whether a ReLU follows the mixing.
        #[config(default = true)]
        pub activation: bool,
        /// Whether all features share one mixing layer, which needs an activation.
        #[config(default = false)]
        pub lite: bool,
    }
}

impl PeriodicEmbeddingsConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("num_embeddings.n_frequencies", self.n_frequencies, 1..=MOST)?;
        let field = "num_embeddings.frequency_init_scale";
        check::positive(field, self.frequency_init_scale)?;
        if self.lite && !self.activation {
            let allowed = "false where activation is false, as in the authors' package";
            return Err(ForgeError::config("num_embeddings.lite", true, allowed));
        }
        Ok(())
    }

    pub(super) fn parameter_count(&self, n_features: usize, width: usize) -> usize {
        let mix = (2 * self.n_frequencies + 1) * width;
        let layers = if self.lite { 1 } else { n_features };
        n_features * self.n_frequencies + layers * mix
    }
}

/// `ReLU(W_j [cos 2π c_j x_j, sin 2π c_j x_j] + b_j)`: equation 2 of arXiv 2203.05556 v4 (where the
/// sines come first), with the linear layer per feature that its section 3.3 puts behind.
#[derive(Module, Debug)]
pub struct PeriodicEmbeddings {
    /// `c`, `[F, N]`.
    pub frequencies: Param<Tensor<2>>,
    /// `W` and `b`.
    pub mix: Mix,
    activation: bool,
    n_features: usize,
}

/// The linear layer behind the waves.
#[derive(Module, Debug)]
pub enum Mix {
    /// One for every feature.
    Each(GroupedLinear),
    /// One for all (`lite`).
    Shared(Linear),
}

impl PeriodicEmbeddings {
    pub(super) fn new(
        config: &PeriodicEmbeddingsConfig,
        n_features: usize,
        width: usize,
        device: &Device,
    ) -> Self {
        let (n, scale) = (config.n_frequencies, config.frequency_init_scale);
        let shape = [n_features, n];
        Self {
            frequencies: drawn(shape, device, move |device| {
                cut_normal(shape, device).mul_scalar(scale)
            }),
            mix: match config.lite {
                true => Mix::Shared(LinearConfig::new(2 * n, width).build(device)),
                false => {
                    Mix::Each(GroupedLinearConfig::new(n_features, 2 * n, width).build(device))
                }
            },
            activation: config.activation,
            n_features,
        }
    }

    pub(super) fn n_features(&self) -> usize {
        self.n_features
    }

    /// # Shapes
    /// - x: `[B, F]`
    /// - output: `[B, F, D]`
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<3> {
        let turn = self.frequencies.val() * (2.0 * std::f64::consts::PI);
        let activation = match self.activation {
            true => LinearActivation::Relu,
            false => LinearActivation::Identity,
        };
        match &self.mix {
            // Feature by feature, as the layers are computed.
            Mix::Each(linear) => {
                let column = x.swapped(0, 1).unsqueeze_dim::<3>(2);
                let waves = cos_sin(column * turn.unsqueeze_dim(1));
                let mixed = linear.forward_apart_activated(waves, activation);
                mixed.swapped(0, 1)
            }
            Mix::Shared(linear) => {
                let waves = cos_sin(x.unsqueeze_dim::<3>(2) * turn.unsqueeze());
                linear.forward_activated(waves, activation)
            }
        }
    }
}

/// Standard normal numbers within ±3.
///
/// What lies beyond is drawn again. After four draws one in 10¹⁰ is left, which is put on the edge.
fn cut_normal(shape: [usize; 2], device: &Device) -> Tensor<2> {
    let draw = || Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.0), device);
    let again = |kept: Tensor<2>, _| {
        let beyond = kept.clone().abs().greater_elem(3.0);
        kept.mask_where(beyond, draw())
    };
    (0..3).fold(draw(), again).clamp(-3.0, 3.0)
}
