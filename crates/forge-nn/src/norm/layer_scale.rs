//! A learnable scale per feature.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`LayerScale`].
    pub struct LayerScaleConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Starting value of every scale, finite and above 0. The paper: 0.1 up to depth 18, 1e-5 to
        /// depth 24, 1e-6 beyond.
        #[config(default = 1e-5)]
        pub init: f64,
    }
}

/// LayerScale: `y = γ ∘ x`, one learnable scale per feature on a residual branch.
///
/// Touvron et al., "Going deeper with Image Transformers", arXiv 2103.17239, section 2.
#[derive(Module, Debug)]
pub struct LayerScale {
    /// `γ`, `[D]`.
    pub gamma: Param<Tensor<1>>,
}

impl ModuleConfig for LayerScaleConfig {
    type Module = LayerScale;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::positive("init", self.init)
    }

    fn build(&self, device: &Device) -> LayerScale {
        LayerScale {
            gamma: Initializer::Constant { value: self.init }.init([self.d_model], device),
        }
    }
}

impl LayerScale {
    /// Scales the last axis.
    ///
    /// # Shapes
    /// - input and output: `[.., D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x * self.gamma.val().unsqueeze()
    }
}
