//! Layers of which each reads all that went before.

use burn::module::Module;
use burn::tensor::Tensor;

use super::DenseNetLayer;

/// `x ← [x, layer(x)]`, layer by layer: new features go last.
#[derive(Module, Debug)]
pub struct DenseNetBlock {
    pub(super) layers: Vec<DenseNetLayer>,
}

impl DenseNetBlock {
    /// # Shapes
    /// - x: `[B, D]`
    /// - output: `[B, D + layers · growth_rate]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| {
            let new = layer.forward(x.clone());
            Tensor::cat(vec![x, new], 1)
        })
    }
}
