//! FReLU over images.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::norm::{BatchNorm, BatchNormConfig};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`FRelu2d`].
    pub struct FRelu2dConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
        /// Window of the spatial condition, odd.
        #[config(default = 3)]
        pub kernel_size: usize,
    }
}

/// Funnel activation over an image, or a volatility surface: `y = max(x, bn(depthwise convolution of x))`.
///
/// The convolution has a bias and pads with zeros, so the size stays.
///
/// Ma et al., "Funnel Activation for Visual Recognition", arXiv 2007.11824, equation (2).
#[derive(Module, Debug)]
pub struct FRelu2d {
    /// One filter per channel.
    pub conv: Conv2d,
    /// Over the channels.
    pub bn: BatchNorm,
}

impl ModuleConfig for FRelu2dConfig {
    type Module = FRelu2d;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)?;
        check::odd("kernel_size", self.kernel_size)
    }

    fn build(&self, device: &Device) -> FRelu2d {
        let half = self.kernel_size / 2;
        FRelu2d {
            conv: Conv2dConfig::new([self.n_channels; 2], [self.kernel_size; 2])
                .with_groups(self.n_channels)
                .with_padding(PaddingConfig2d::Explicit(half, half, half, half))
                .init(device),
            bn: BatchNormConfig::new(self.n_channels).build(device),
        }
    }
}

impl FRelu2d {
    /// Applies the activation.
    ///
    /// # Shapes
    /// - input and output: `[B, C, height, width]`
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let condition = self.bn.forward(self.conv.forward(x.clone()));
        x.max_pair(condition)
    }
}
