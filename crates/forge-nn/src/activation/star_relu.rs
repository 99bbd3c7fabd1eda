//! StarReLU.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use super::squared_relu;
use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig};

/// `1/√1.25`: with it the output of a standard normal input has unit variance.
const FIXED_SCALE: f64 = 0.8944;
/// `-0.5/√1.25`: with it the output of a standard normal input has zero mean.
const FIXED_BIAS: f64 = -0.4472;

config! {
    /// Recipe of a [`StarRelu`]. The default is the learnable form with scale 1 and bias 0.
    pub struct StarReluConfig {
        /// Learn scale and bias from 1 and 0 (what the authors' models use). Otherwise they are the
        /// constants 0.8944 and -0.4472, which keep a standard normal input standardised.
        #[config(default = true)]
        pub learnable: bool,
    }
}

impl Default for StarReluConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// StarReLU: `y = s · relu(x)² + b`, one scale and bias for all elements.
///
/// Yu et al., "MetaFormer Baselines for Vision", arXiv 2210.13452, equations (4) and (5).
#[derive(Module, Debug)]
pub struct StarRelu {
    /// `s`, `[1]`.
    pub scale: Param<Tensor<1>>,
    /// `b`, `[1]`.
    pub bias: Param<Tensor<1>>,
}

impl ModuleConfig for StarReluConfig {
    type Module = StarRelu;

    fn validate(&self) -> Result<(), ForgeError> {
        Ok(())
    }

    fn build(&self, device: &Device) -> StarRelu {
        let (scale, bias) = if self.learnable {
            (1.0, 0.0)
        } else {
            (FIXED_SCALE, FIXED_BIAS)
        };
        let constant = |value: f64| -> Param<Tensor<1>> {
            Initializer::Constant { value }
                .init([1], device)
                .set_require_grad(self.learnable)
        };
        StarRelu {
            scale: constant(scale),
            bias: constant(bias),
        }
    }
}

impl StarRelu {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[..]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        squared_relu(x) * self.scale.val().reshape([1; D]) + self.bias.val().reshape([1; D])
    }
}
