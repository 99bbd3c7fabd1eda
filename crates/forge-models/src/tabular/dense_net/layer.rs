//! What adds a few features to all there are.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::DenseNetConfig;

/// `Dropout(Linear(ReLU(BatchNorm(x))))`, or with a bottleneck the same of
/// `Linear(ReLU(BatchNorm(x)))`. No linear map has a bias.
#[derive(Module, Debug)]
pub struct DenseNetLayer {
    norm1: BatchNorm,
    linear1: Linear,
    bottleneck: Option<Rest>,
    dropout: Dropout,
}

/// What follows the narrow place.
#[derive(Module, Debug)]
struct Rest {
    norm2: BatchNorm,
    linear2: Linear,
}

impl DenseNetLayer {
    /// A layer on `width` features.
    pub(super) fn new(config: &DenseNetConfig, width: usize, device: &Device) -> Self {
        let norm = |width| BatchNormConfig::new(width).build(device);
        let linear = |from, to| LinearConfig::new(from, to).with_bias(false).build(device);
        let inner = config.inner_width();
        Self {
            norm1: norm(width),
            linear1: linear(width, inner),
            bottleneck: (config.bottleneck > 0).then(|| Rest {
                norm2: norm(inner),
                linear2: linear(inner, config.growth_rate),
            }),
            dropout: DropoutConfig::new(config.dropout).build(device),
        }
    }

    /// The new features.
    ///
    /// # Shapes
    /// - x: `[B, D]`
    /// - output: `[B, growth_rate]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = self.linear1.forward(relu(self.norm1.forward(x)));
        let new = match &self.bottleneck {
            Some(rest) => rest.linear2.forward(relu(rest.norm2.forward(hidden))),
            None => hidden,
        };
        self.dropout.forward(new)
    }
}
