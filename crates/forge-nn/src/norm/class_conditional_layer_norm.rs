//! Layer normalisation with an affine per class.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};

use crate::broadcast::along_features;
use crate::config_macro::config;
use crate::ops::layer_norm;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`ClassConditionalLayerNorm`].
    pub struct ClassConditionalLayerNormConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Number of classes, at least 1.
        pub n_classes: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
    }
}

/// Layer normalisation with one affine a *class*: `y = LN(x) · w[class] + b[class]`.
///
/// After Dumoulin, Shlens & Kudlur's conditional instance normalisation, arXiv 1610.07629,
/// equation (5), with layer statistics. The name has a second meaning, an affine that depends on a
/// vector: [`ConditionalLayerNorm`](super::ConditionalLayerNorm).
#[derive(Module, Debug)]
pub struct ClassConditionalLayerNorm {
    /// `w`, `[classes, D]`, from ones.
    pub weight: Param<Tensor<2>>,
    /// `b`, `[classes, D]`, from zeros.
    pub bias: Param<Tensor<2>>,
    eps: f64,
}

impl ModuleConfig for ClassConditionalLayerNormConfig {
    type Module = ClassConditionalLayerNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("n_classes", self.n_classes)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> ClassConditionalLayerNorm {
        let shape = [self.n_classes, self.d_model];
        ClassConditionalLayerNorm {
            weight: Initializer::Ones.init(shape, device),
            bias: Initializer::Zeros.init(shape, device),
            eps: self.eps,
        }
    }
}

impl ClassConditionalLayerNorm {
    /// Normalises the last axis with the affine of each sample's class.
    ///
    /// # Shapes
    /// - input and output: `[B, .., D]`, rank 2 or more
    /// - class: `[B]`, each in `0..n_classes`
    ///
    /// # Panics
    /// If the shapes are not those of the config or a class is out of range.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, class: Tensor<1, Int>) -> Tensor<D> {
        let scale = self.weight.val().select(0, class.clone());
        let shift = self.bias.val().select(0, class);
        layer_norm(x, None, None, self.eps) * along_features(scale) + along_features(shift)
    }
}
