//! What stands between two blocks.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use forge_nn::Linear;
use forge_nn::norm::BatchNorm;

/// `Linear(ReLU(BatchNorm(x)))`, narrower than what went in. No bias.
#[derive(Module, Debug)]
pub struct DenseNetTransition {
    pub(super) norm: BatchNorm,
    pub(super) linear: Linear,
}

impl DenseNetTransition {
    /// # Shapes
    /// - x: `[B, D]`
    /// - output: `[B, ⌊D · compression⌋]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear.forward(relu(self.norm.forward(x)))
    }
}
