//! Layer normalisation.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check, ops};

config! {
    /// Recipe of a [`LayerNorm`].
    pub struct LayerNormConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
        /// Learn a scale.
        #[config(default = true)]
        pub weight: bool,
        /// Learn a shift.
        #[config(default = true)]
        pub bias: bool,
    }
}

/// Layer normalisation: `y = (x - mean) / √(var + ε) · w + b` over the last axis, biased variance.
///
/// Ba, Kiros & Hinton, arXiv 1607.06450, equation (4).
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `w`, `[D]`, from ones.
    pub weight: Option<Param<Tensor<1>>>,
    /// `b`, `[D]`, from zeros.
    pub bias: Option<Param<Tensor<1>>>,
    eps: f64,
}

impl ModuleConfig for LayerNormConfig {
    type Module = LayerNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> LayerNorm {
        let shape = [self.d_model];
        LayerNorm {
            weight: self.weight.then(|| Initializer::Ones.init(shape, device)),
            bias: self.bias.then(|| Initializer::Zeros.init(shape, device)),
            eps: self.eps,
        }
    }
}

impl LayerNorm {
    /// Normalises the last axis.
    ///
    /// # Shapes
    /// - input and output: `[.., D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let weight = self.weight.as_ref().map(|weight| weight.val());
        let bias = self.bias.as_ref().map(|bias| bias.val());
        ops::layer_norm(x, weight, bias, self.eps)
    }
}
