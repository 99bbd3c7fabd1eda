//! One block of the map into the space of distances.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::Linear;
use forge_nn::norm::BatchNorm;
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::Dropout;

/// `Linear(Dropout(ReLU(Linear(BatchNorm(x)))))`, without a residual connection.
#[derive(Module, Debug)]
pub struct ModernNcaBlock {
    pub(super) norm: BatchNorm,
    pub(super) linear1: Linear,
    pub(super) dropout: Dropout,
    pub(super) linear2: Linear,
}

impl ModernNcaBlock {
    /// # Shapes
    /// - x, output: `[B, D]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let normal = self.norm.forward(x);
        let hidden = self
            .linear1
            .forward_activated(normal, LinearActivation::Relu);
        self.linear2.forward(self.dropout.forward(hidden))
    }
}
