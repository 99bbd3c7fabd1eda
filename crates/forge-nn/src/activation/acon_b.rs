//! ACON-B: one learnable slope below.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use crate::broadcast::along_channels;
use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of an [`AconB`].
    pub struct AconBConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
    }
}

/// ACON-B: `y = (1 - p) x · σ(β (1 - p) x) + p x`, `p` and `β` learnable per channel.
///
/// The smooth maximum of `x` and `p x` (a smooth PReLU): Ma et al., "Activate or Not",
/// arXiv 2009.04759, table 1. The paper gives no starting values; here `p = 0.25`, as PReLU, and
/// `β = 1`.
#[derive(Module, Debug)]
pub struct AconB {
    /// Slope `p` of the second branch, `[C]`.
    pub p: Param<Tensor<1>>,
    /// Switching factor `β`, `[C]`.
    pub beta: Param<Tensor<1>>,
}

impl ModuleConfig for AconBConfig {
    type Module = AconB;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)
    }

    fn build(&self, device: &Device) -> AconB {
        AconB {
            p: Initializer::Constant { value: 0.25 }.init([self.n_channels], device),
            beta: Initializer::Ones.init([self.n_channels], device),
        }
    }
}

impl AconB {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let p = along_channels(self.p.val());
        let second = x.clone() * p;
        let difference = x - second.clone();
        let gate = sigmoid(difference.clone() * along_channels(self.beta.val()));
        difference * gate + second
    }
}
