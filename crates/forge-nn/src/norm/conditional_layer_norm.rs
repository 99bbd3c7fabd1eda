//! Layer normalisation whose affine follows a condition.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::broadcast::along_features;
use crate::config_macro::config;
use crate::ops::layer_norm;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`ConditionalLayerNorm`].
    pub struct ConditionalLayerNormConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Width of the condition vector, at least 1.
        pub d_cond: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
    }
}

/// Layer normalisation with an affine that a condition *vector* shifts.
///
/// `y = LN(x) · (w + W_g cond) + (b + W_b cond)`; the projections have no bias and start at zero,
/// so a fresh layer ignores the condition.
///
/// The name has a second meaning, an affine looked up by class:
/// [`ClassConditionalLayerNorm`](super::ClassConditionalLayerNorm).
#[derive(Module, Debug)]
pub struct ConditionalLayerNorm {
    /// `w`, `[D]`, from ones.
    pub weight: Param<Tensor<1>>,
    /// `b`, `[D]`, from zeros.
    pub bias: Param<Tensor<1>>,
    /// `W_g`, `[C, D]`.
    pub weight_proj: Linear,
    /// `W_b`, `[C, D]`.
    pub bias_proj: Linear,
    eps: f64,
}

impl ModuleConfig for ConditionalLayerNormConfig {
    type Module = ConditionalLayerNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("d_cond", self.d_cond)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> ConditionalLayerNorm {
        let projection = || {
            LinearConfig::new(self.d_cond, self.d_model)
                .with_bias(false)
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        ConditionalLayerNorm {
            weight: Initializer::Ones.init([self.d_model], device),
            bias: Initializer::Zeros.init([self.d_model], device),
            weight_proj: projection(),
            bias_proj: projection(),
            eps: self.eps,
        }
    }
}

impl ConditionalLayerNorm {
    /// Normalises the last axis under a condition that holds for the whole sample.
    ///
    /// # Shapes
    /// - input and output: `[B, .., D]`, rank 2 or more
    /// - cond: `[B, C]`
    ///
    /// # Panics
    /// If the shapes are not those of the config.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, cond: Tensor<2>) -> Tensor<D> {
        let scale = self.weight_proj.forward(cond.clone()) + self.weight.val().unsqueeze();
        let shift = self.bias_proj.forward(cond) + self.bias.val().unsqueeze();
        layer_norm(x, None, None, self.eps) * along_features(scale) + along_features(shift)
    }
}
