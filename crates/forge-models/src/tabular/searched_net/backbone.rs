//! The network of a genotype, for tokens.

use burn::module::Module;
use burn::tensor::{Bool, Tensor};
use forge_nn::Linear;
use forge_nn::norm::LayerNorm;

use super::CellStack;
use crate::tabular::Backbone;

/// Cells over tokens, and `LN(x + W nodes + b)` of the last one's nodes. Not causal: operations look to
/// both sides.
#[derive(Module, Debug)]
pub struct SearchedBackbone {
    pub(super) stack: CellStack,
    pub(super) merge: Linear,
    pub(super) norm: LayerNorm,
}

impl Backbone for SearchedBackbone {
    const CAUSAL: bool = false;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        if tokens.shape().num_elements() == 0 {
            return tokens;
        }
        let nodes = self.stack.forward(tokens.clone(), valid.as_ref());
        self.norm.forward(tokens + self.merge.forward(nodes))
    }
}
