//! Squeeze and excitation.

use burn::module::Module;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

use crate::broadcast::along_sample_channels;
use crate::config_macro::config;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`SqueezeExcitation`].
    pub struct SqueezeExcitationConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
        /// Width of the bottleneck, at least 1. The paper: channels / 16.
        pub hidden: usize,
    }
}

/// Squeeze-and-excitation: `y = x · σ(W₂ relu(W₁ mean(x) + b₁) + b₂)`, one gate per channel from the
/// mean over all positions.
///
/// Hu et al., arXiv 1709.01507, equations (2) to (4).
#[derive(Module, Debug)]
pub struct SqueezeExcitation {
    /// `[C, hidden]`.
    pub fc1: Linear,
    /// `[hidden, C]`.
    pub fc2: Linear,
}

impl ModuleConfig for SqueezeExcitationConfig {
    type Module = SqueezeExcitation;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)?;
        check::at_least_one("hidden", self.hidden)
    }

    fn build(&self, device: &Device) -> SqueezeExcitation {
        SqueezeExcitation {
            fc1: LinearConfig::new(self.n_channels, self.hidden).init(device),
            fc2: LinearConfig::new(self.hidden, self.n_channels).init(device),
        }
    }
}

impl SqueezeExcitation {
    /// Scales every channel by its gate.
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let gate = self.gate(x.clone());
        x * along_sample_channels(gate)
    }

    /// The gate of every sample and channel, in `(0, 1)`.
    ///
    /// # Shapes
    /// - input: `[B, C, ..]`
    /// - output: `[B, C]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn gate<const D: usize>(&self, x: Tensor<D>) -> Tensor<2> {
        let [samples, channels] = [x.dims()[0], x.dims()[1]];
        let positions = x.shape().num_elements() / (samples * channels).max(1);
        let mean = x
            .reshape([samples, channels, positions])
            .mean_dim(2)
            .reshape([samples, channels]);
        sigmoid(self.fc2.forward(relu(self.fc1.forward(mean))))
    }
}
