//! Convolutions over tokens that see no later one.

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::ops::Axes;
use forge_nn::regularisation::{Dropout, DropoutConfig};

use super::StockFormerConfig;

/// Blocks, each at twice the dilation of the one before.
pub(super) const BLOCKS: usize = 3;
const KERNEL: usize = 3;

/// `relu(x + relu(conv(relu(conv(x)))))`, with dropout after both inner activations.
#[derive(Module, Debug)]
pub(super) struct CausalConvolutions {
    first: Conv1d,
    second: Conv1d,
    dropout: Dropout,
    dilation: usize,
}

impl CausalConvolutions {
    pub(super) fn new(config: &StockFormerConfig, block: usize, device: &Device) -> Self {
        let (width, dilation) = (config.d_model, 1 << block);
        let convolution = || {
            Conv1dConfig::new(width, width, KERNEL)
                .with_dilation(dilation)
                .init(device)
        };
        Self {
            first: convolution(),
            second: convolution(),
            dropout: DropoutConfig::new(config.dropout).build(device),
            dilation,
        }
    }

    pub(super) fn parameter_count(config: &StockFormerConfig) -> usize {
        2 * (KERNEL * config.d_model + 1) * config.d_model
    }

    /// # Shapes
    /// - x and output: `[B, T, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let change = [&self.first, &self.second]
            .into_iter()
            .fold(x.clone(), |x, convolution| {
                self.dropout.forward(relu(self.causal(convolution, x)))
            });
        relu(x + change)
    }

    fn causal(&self, convolution: &Conv1d, x: Tensor<3>) -> Tensor<3> {
        let [batch, _, width] = x.dims();
        let before = (KERNEL - 1) * self.dilation;
        let zeros = Tensor::zeros([batch, before, width], (&x.device(), x.dtype()));
        let x = Tensor::cat(vec![zeros, x], 1);
        convolution.forward(x.swapped(1, 2)).swapped(1, 2)
    }
}
