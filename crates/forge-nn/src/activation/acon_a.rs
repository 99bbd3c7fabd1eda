//! ACON-A: Swish with a learnable slope.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use crate::broadcast::along_channels;
use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of an [`AconA`].
    pub struct AconAConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
    }
}

/// ACON-A: `y = x · σ(β x)`, Swish with one learnable `β` per channel, from 1.
///
/// The smooth maximum of `x` and 0: Ma et al., "Activate or Not", arXiv 2009.04759, table 1.
#[derive(Module, Debug)]
pub struct AconA {
    /// Switching factor `β`, `[C]`: linear at 0, ReLU for large values.
    pub beta: Param<Tensor<1>>,
}

impl ModuleConfig for AconAConfig {
    type Module = AconA;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)
    }

    fn build(&self, device: &Device) -> AconA {
        AconA {
            beta: Initializer::Ones.init([self.n_channels], device),
        }
    }
}

impl AconA {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x.clone() * sigmoid(x * along_channels(self.beta.val()))
    }
}
