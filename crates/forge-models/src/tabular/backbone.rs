//! What stands between tokens and head.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;

use crate::Capabilities;

/// A stack of layers that maps a sequence of tokens to one of the same shape.
pub trait Backbone: Module + ModuleDisplay {
    /// Registry name of the tabular model made of it.
    const TABULAR_NAME: &'static str;

    /// What the tabular model made of it supports.
    const TABULAR_CAPABILITIES: Capabilities;

    /// # Shapes
    /// - tokens: `[B, T, D]`
    /// - output: `[B, T, D]`
    fn forward(&self, tokens: Tensor<3>) -> Tensor<3>;

    /// The first token's output (CLS) alone, for backbones that can save work by it.
    ///
    /// # Shapes
    /// - tokens: `[B, T, D]`
    /// - output: `[B, D]`
    fn forward_first(&self, tokens: Tensor<3>) -> Tensor<2> {
        self.forward(tokens).narrow(1, 0, 1).squeeze_dim(1)
    }
}
