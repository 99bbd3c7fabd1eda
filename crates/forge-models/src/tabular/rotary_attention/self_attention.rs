//! A layer of any kind.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::attention::{GroupedQueryAttention, KvCache, LinearAttention, LinearAttentionState};
use forge_nn::ops::AttentionMask;

use super::{AttentionKind, AttentionShape, LayerState};

/// Self-attention with rotary positions. The kinds with a softmax are one layer at different sizes.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one per layer, and `Module` takes no boxes"
)]
pub(in crate::tabular) enum SelfAttention {
    Softmax(GroupedQueryAttention),
    Linear(LinearAttention),
}

impl SelfAttention {
    pub(in crate::tabular) fn new(
        shape: &AttentionShape,
        kind: AttentionKind,
        device: &Device,
    ) -> Self {
        shape.build(kind, device)
    }

    /// # Shapes
    /// - x and output: `[B, T, D]`, valid: `[B, T]`
    pub(in crate::tabular) fn forward(
        &self,
        x: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
    ) -> Tensor<3> {
        match self {
            Self::Softmax(layer) => {
                let mask = valid.map_or_else(AttentionMask::none, AttentionMask::key_valid);
                layer.forward(x, mask, None)
            }
            Self::Linear(layer) => layer.forward(x, valid),
        }
    }

    /// For the next tokens of a sequence whose earlier ones are in `state`.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    pub(in crate::tabular) fn forward_cached(
        &self,
        x: Tensor<3>,
        state: &mut LayerState,
    ) -> Tensor<3> {
        match (self, state) {
            (Self::Softmax(layer), LayerState::Keys(cache)) => layer.forward_cached(x, None, cache),
            (Self::Linear(layer), LayerState::Sums(sums)) => layer.forward_cached(x, None, sums),
            _ => panic!("the state is of a model with other kinds of attention"),
        }
    }

    /// What it remembers of nothing.
    pub(in crate::tabular) fn start(&self) -> LayerState {
        match self {
            Self::Softmax(_) => LayerState::Keys(KvCache::new()),
            Self::Linear(_) => LayerState::Sums(LinearAttentionState::new()),
        }
    }
}
