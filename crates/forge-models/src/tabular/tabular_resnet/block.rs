//! A residual block.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::Linear;
use forge_nn::norm::BatchNorm;
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::Dropout;

/// `x + Dropout(Linear(Dropout(ReLU(Linear(BatchNorm(x))))))`.
#[derive(Module, Debug)]
pub struct TabularResNetBlock {
    pub(super) norm: BatchNorm,
    pub(super) linear1: Linear,
    pub(super) dropout1: Dropout,
    pub(super) linear2: Linear,
    pub(super) dropout2: Dropout,
}

impl TabularResNetBlock {
    /// # Shapes
    /// - x, output: `[B, D]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let normal = self.norm.forward(x.clone());
        let hidden = self
            .linear1
            .forward_activated(normal, LinearActivation::Relu);
        let change = self.linear2.forward(self.dropout1.forward(hidden));
        self.dropout2.residual(change, x)
    }
}
