//! The depthwise convolution.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::ops::depthwise_conv1d;

use super::sizes::BlockSizes;

/// A large and a small kernel beside each other, or the one kernel that they make.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one per block, and `Module` takes no boxes"
)]
pub(super) enum Kernels {
    /// Each with its norm: how it is trained.
    Apart(Apart),
    /// One kernel and a bias: the same in evaluation, with one convolution less.
    Merged(Merged),
}

/// `BatchNorm(conv(x, large)) + BatchNorm(conv(x, small))`.
#[derive(Module, Debug)]
pub(super) struct Apart {
    large: NormedKernel,
    small: NormedKernel,
}

/// `conv(x, kernel) + bias`.
#[derive(Module, Debug)]
pub(super) struct Merged {
    /// `[C, 1, K]`.
    weight: Param<Tensor<3>>,
    /// `[C]`.
    bias: Param<Tensor<1>>,
}

/// A kernel for each channel, without bias, and its norm.
#[derive(Module, Debug)]
pub(super) struct NormedKernel {
    /// `[C, 1, K]`, K odd.
    weight: Param<Tensor<3>>,
    norm: BatchNorm,
}

impl NormedKernel {
    fn new(channels: usize, size: usize, device: &Device) -> Self {
        let start = Initializer::KaimingUniform {
            gain: 1.0 / 3.0_f64.sqrt(),
            fan_out_only: false,
        };
        Self {
            weight: start.init_with([channels, 1, size], Some(size), None, device),
            norm: BatchNormConfig::new(channels).build(device),
        }
    }

    fn forward(&self, x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let y = depthwise_conv1d(x, self.weight.val());
        match valid {
            Some(valid) => self.norm.forward_valid(y, valid),
            None => self.norm.forward(y),
        }
    }

    /// Kernel and bias that do in evaluation what kernel and norm do.
    fn folded(&self) -> (Tensor<3>, Tensor<1>) {
        let (scale, shift) = self.norm.scale_and_shift();
        let channels = scale.dims()[0];
        (self.weight.val() * scale.reshape([channels, 1, 1]), shift)
    }
}

impl Kernels {
    pub(super) fn new(sizes: &BlockSizes, device: &Device) -> Self {
        let kernel = |size| NormedKernel::new(sizes.channels(), size, device);
        Self::Apart(Apart {
            large: kernel(sizes.large_size),
            small: kernel(sizes.small_size),
        })
    }

    /// # Shapes
    /// - x and output: `[B, C, T]`, valid: `[B, T]`
    pub(super) fn forward(&self, x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        match self {
            Self::Apart(Apart { large, small }) => {
                large.forward(x.clone(), valid.clone()) + small.forward(x, valid)
            }
            Self::Merged(Merged { weight, bias }) => {
                let bias = bias.val();
                let channels = bias.dims()[0];
                depthwise_conv1d(x, weight.val()) + bias.reshape([1, channels, 1])
            }
        }
    }

    /// One kernel: the small one, with zeros on both sides, is added to the large one.
    pub(super) fn merged(self) -> Self {
        let Self::Apart(Apart { large, small }) = self else {
            return self;
        };
        let ((large, bias), (small, other)) = (large.folded(), small.folded());
        let side = (large.dims()[2] - small.dims()[2]) / 2;
        let small = small.pad((side, side, 0, 0), 0.0);
        Self::Merged(Merged {
            weight: Param::from_tensor((large + small).detach()),
            bias: Param::from_tensor((bias + other).detach()),
        })
    }
}
