//! A residual block that is wider at its end.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// `pad(x) + BatchNorm(Linear(ReLU(BatchNorm(Linear(BatchNorm(x))))))`.
///
/// No ReLU first and none after the sum; the shortcut has zeros in the features that are new.
#[derive(Module, Debug)]
pub struct PyramidResNetBlock {
    norm1: BatchNorm,
    linear1: Linear,
    norm2: BatchNorm,
    linear2: Linear,
    norm3: BatchNorm,
}

impl PyramidResNetBlock {
    /// A block from width `from` to `to`, which is no less.
    pub(super) fn new(from: usize, to: usize, device: &Device) -> Self {
        let norm = |width| BatchNormConfig::new(width).build(device);
        let linear = |from, to| LinearConfig::new(from, to).with_bias(false).build(device);
        Self {
            norm1: norm(from),
            linear1: linear(from, to),
            norm2: norm(to),
            linear2: linear(to, to),
            norm3: norm(to),
        }
    }

    /// # Shapes
    /// - x: `[B, from]`
    /// - output: `[B, to]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = self.linear1.forward(self.norm1.forward(x.clone()));
        let hidden = burn::tensor::activation::relu(self.norm2.forward(hidden));
        let change = self.norm3.forward(self.linear2.forward(hidden));
        match self.linear1.d_output() - self.linear1.d_input() {
            0 => x + change,
            added => x.pad((0, added, 0, 0), 0.0) + change,
        }
    }
}
