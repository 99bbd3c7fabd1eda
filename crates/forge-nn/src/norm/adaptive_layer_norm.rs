//! Layer normalisation whose whole affine is a function of a condition.

use crate::activation::silu;
use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::broadcast::along_features;
use crate::config_macro::config;
use crate::ops::{layer_norm, parts};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

/// What is applied to the condition before it is projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CondActivation {
    /// SiLU, as DiT does.
    #[default]
    Silu,
    /// Nothing.
    None,
}

config! {
    /// Recipe of an [`AdaptiveLayerNorm`].
    pub struct AdaptiveLayerNormConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Width of the condition, at least 1.
        pub d_cond: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-6)]
        pub eps: f64,
        /// Applied to the condition first.
        #[config(default = CondActivation::Silu)]
        pub cond_activation: CondActivation,
    }
}

/// Layer normalisation whose scale and shift are functions of a condition (AdaLN).
///
/// `[shift, scale] = W act(cond) + b`, `y = LN(x) · (1 + scale) + shift`; the normalisation itself
/// has no affine. The projection starts at zero, so a fresh layer is a plain normalisation
/// (AdaLN-Zero).
///
/// Peebles & Xie, "DiT", arXiv 2212.09748, section 3.2, in the order of the authors' code: the
/// shift's rows come first.
#[derive(Module, Debug)]
pub struct AdaptiveLayerNorm {
    /// `[C, 2·D]`, shift first.
    pub linear: Linear,
    eps: f64,
    #[module(skip)]
    cond_activation: CondActivation,
}

impl ModuleConfig for AdaptiveLayerNormConfig {
    type Module = AdaptiveLayerNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("d_cond", self.d_cond)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> AdaptiveLayerNorm {
        AdaptiveLayerNorm {
            linear: LinearConfig::new(self.d_cond, 2 * self.d_model)
                .with_initializer(Initializer::Zeros)
                .init(device),
            eps: self.eps,
            cond_activation: self.cond_activation,
        }
    }
}

impl AdaptiveLayerNorm {
    /// Normalises the last axis under a condition that holds for the whole sample.
    ///
    /// # Shapes
    /// - input and output: `[B, .., D]`, rank 2 or more
    /// - cond: `[B, C]`
    ///
    /// # Panics
    /// If the shapes are not those of the config.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, cond: Tensor<2>) -> Tensor<D> {
        let cond = match self.cond_activation {
            CondActivation::Silu => silu(cond),
            CondActivation::None => cond,
        };
        let projected = self.linear.forward(cond);
        let width = projected.dims()[1] / 2;
        let [shift, scale] = parts(projected, 1, [width; 2]).map(along_features::<D>);
        layer_norm(x, None, None, self.eps) * (scale + 1.0) + shift
    }
}
