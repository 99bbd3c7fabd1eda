//! The stack.

use burn::module::Module;
use burn::tensor::{Bool, Tensor};
use forge_nn::norm::LayerNorm;
use forge_nn::recomputed;

use super::HyperMixerLayer;
use crate::tabular::Backbone;

/// [`HyperMixerLayer`]s and a last LayerNorm, over tokens `[B, T, D]`. Every token is mixed with every
/// other: it is not causal.
#[derive(Module, Debug)]
pub struct HyperMixerBackbone {
    pub(super) layers: Vec<HyperMixerLayer>,
    pub(super) norm: LayerNorm,
}

impl Backbone for HyperMixerBackbone {
    const CAUSAL: bool = false;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        if tokens.shape().num_elements() == 0 {
            return tokens;
        }
        let layers = self.layers.iter();
        let x = layers.fold(tokens, |x, layer| {
            let valid = valid.clone();
            recomputed(layer, x, move |layer, x| layer.forward(x, valid.clone()))
        });
        self.norm.forward(x)
    }
}
