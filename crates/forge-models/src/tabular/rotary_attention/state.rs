//! What is remembered between tokens.

use forge_nn::attention::{KvCache, LinearAttentionState};
use forge_nn::carried;
use forge_nn::recurrent::Sequences;

/// What one layer remembers of the tokens seen.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one per layer")]
pub enum LayerState {
    /// Keys and values: those of the window, or of all tokens.
    Keys(KvCache),
    /// Sums of features: as much, however many tokens were seen.
    Sums(LinearAttentionState),
}

carried!(
    enum LayerState {
        Keys = "keys",
        Sums = "sums",
    }
);

/// What a causal transformer remembers of the tokens seen: the `CarriesState::State` of those here.
#[derive(Debug, Clone)]
pub struct TransformerState {
    pub(super) batch: Sequences,
    /// Of the tokens seen; absent before the first.
    pub(super) width: Option<usize>,
    pub(super) seen: usize,
    pub(super) layers: Vec<LayerState>,
}

carried!(TransformerState {
    batch,
    width,
    seen,
    layers
});

impl TransformerState {
    /// Tokens seen so far.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// Of each layer, in order.
    #[must_use]
    pub fn layers(&self) -> &[LayerState] {
        &self.layers
    }
}
