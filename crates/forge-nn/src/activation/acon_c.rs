//! ACON-C: two learnable slopes.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use crate::broadcast::along_channels;
use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of an [`AconC`].
    pub struct AconCConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
    }
}

/// ACON-C: `d = (p₁ - p₂) x`, `y = d · σ(β d) + p₂ x`, all three learnable per channel.
///
/// The smooth maximum of `p₁ x` and `p₂ x`: Ma et al., "Activate or Not", arXiv 2009.04759,
/// equation (6). Starts, as the authors' code, with `p ~ N(0, 1)` and `β = 1`.
#[derive(Module, Debug)]
pub struct AconC {
    /// Upper slope `p₁`, `[C]`.
    pub p1: Param<Tensor<1>>,
    /// Lower slope `p₂`, `[C]`.
    pub p2: Param<Tensor<1>>,
    /// Switching factor `β`, `[C]`.
    pub beta: Param<Tensor<1>>,
}

impl ModuleConfig for AconCConfig {
    type Module = AconC;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)
    }

    fn build(&self, device: &Device) -> AconC {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        AconC {
            p1: normal.init([self.n_channels], device),
            p2: normal.init([self.n_channels], device),
            beta: Initializer::Ones.init([self.n_channels], device),
        }
    }
}

impl AconC {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        acon_c(
            x,
            along_channels(self.p1.val()),
            along_channels(self.p2.val()),
            along_channels(self.beta.val()),
        )
    }
}

/// `d · σ(β d) + p₂ x` with `d = (p₁ - p₂) x`.
///
/// # Shapes
/// - all: broadcastable to `x`
pub fn acon_c<const D: usize>(
    x: Tensor<D>,
    p1: Tensor<D>,
    p2: Tensor<D>,
    beta: Tensor<D>,
) -> Tensor<D> {
    let difference = x.clone() * (p1 - p2.clone());
    difference.clone() * sigmoid(difference * beta) + x * p2
}
