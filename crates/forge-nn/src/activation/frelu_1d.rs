//! FReLU over sequences.

use burn::module::Module;
use burn::nn::PaddingConfig1d;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::norm::{BatchNorm, BatchNormConfig};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`FRelu1d`].
    pub struct FRelu1dConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
        /// Window of the spatial condition, odd.
        #[config(default = 3)]
        pub kernel_size: usize,
    }
}

/// Funnel activation over a sequence: `y = max(x, bn(depthwise convolution of x))`.
///
/// The convolution has a bias and pads with zeros, so the size stays.
///
/// Ma et al., "Funnel Activation for Visual Recognition", arXiv 2007.11824, equation (2).
#[derive(Module, Debug)]
pub struct FRelu1d {
    /// One filter per channel.
    pub conv: Conv1d,
    /// Over the channels.
    pub bn: BatchNorm,
}

impl ModuleConfig for FRelu1dConfig {
    type Module = FRelu1d;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)?;
        check::odd("kernel_size", self.kernel_size)
    }

    fn build(&self, device: &Device) -> FRelu1d {
        let half = self.kernel_size / 2;
        FRelu1d {
            conv: Conv1dConfig::new(self.n_channels, self.n_channels, self.kernel_size)
                .with_groups(self.n_channels)
                .with_padding(PaddingConfig1d::Explicit(half, half))
                .init(device),
            bn: BatchNormConfig::new(self.n_channels).build(device),
        }
    }
}

impl FRelu1d {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[B, C, T]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let condition = self.bn.forward(self.conv.forward(x.clone()));
        x.max_pair(condition)
    }
}
