//! Root-mean-square normalisation.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check, ops};

config! {
    /// Recipe of an [`RmsNorm`].
    pub struct RmsNormConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Added to the mean square inside the root; above 0.
        #[config(default = 1e-6)]
        pub eps: f64,
    }
}

/// Root mean square normalisation: `y = x / √(mean(x²) + ε) · w` over the last axis.
///
/// Zhang & Sennrich, arXiv 1910.07467, equation (4), with ε inside the root as in the LLaMA code.
/// Burn's own always computes the root in f32; this one computes in the tensor's type.
#[derive(Module, Debug)]
pub struct RmsNorm {
    /// `w`, `[D]`, from ones.
    pub weight: Param<Tensor<1>>,
    eps: f64,
}

impl ModuleConfig for RmsNormConfig {
    type Module = RmsNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> RmsNorm {
        RmsNorm {
            weight: Initializer::Ones.init([self.d_model], device),
            eps: self.eps,
        }
    }
}

impl RmsNorm {
    /// Normalises the last axis.
    ///
    /// # Shapes
    /// - input and output: `[.., D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        ops::rms_norm(x, Some(self.weight.val()), self.eps)
    }
}
