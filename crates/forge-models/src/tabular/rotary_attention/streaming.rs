//! A stack of layers over a whole sequence, or token by token.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Tensor};
use forge_nn::recomputed;
use forge_nn::recurrent::Sequences;

use super::{SelfAttention, TransformerState};

/// A layer whose attention is all that mixes tokens.
pub(in crate::tabular) trait Layer: Module + ModuleDisplay + 'static {
    fn attention(&self) -> &SelfAttention;

    /// The layer, given what its attention says of a normalised input.
    fn forward(
        &self,
        x: Tensor<3>,
        attend: impl FnOnce(&SelfAttention, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3>;
}

/// # Shapes
/// - tokens and output: `[B, T, D]`, valid: `[B, T]`
pub(super) fn run<L: Layer>(
    layers: &[L],
    tokens: Tensor<3>,
    valid: Option<Tensor<2, Bool>>,
) -> Tensor<3> {
    layers.iter().fold(tokens, |x, layer| {
        let valid = valid.clone();
        recomputed(layer, x, move |layer, x| {
            let valid = valid.clone();
            layer.forward(x, |attention, x| attention.forward(x, valid))
        })
    })
}

/// The state before the first token of `batch` sequences.
pub(super) fn start<L: Layer>(layers: &[L], batch: usize) -> TransformerState {
    TransformerState {
        batch: Sequences(batch),
        width: None,
        seen: 0,
        layers: layers
            .iter()
            .map(|layer| layer.attention().start())
            .collect(),
    }
}

/// The next tokens of every sequence, at least one.
///
/// # Shapes
/// - tokens and output: `[B, T, D]`
pub(super) fn steps<L: Layer>(
    layers: &[L],
    tokens: Tensor<3>,
    mut state: TransformerState,
) -> (Tensor<3>, TransformerState) {
    let [batch, time, width] = tokens.dims();
    let (seen, stack) = (
        *state.width.get_or_insert(width),
        (layers.len(), state.layers.len()),
    );
    assert!(
        batch == state.batch.0 && stack.0 == stack.1,
        "a step of {batch} sequences through {} layers got the state of {} sequences and {} layers",
        stack.0,
        state.batch.0,
        stack.1
    );
    assert!(
        width == seen,
        "a step of tokens {width} wide got the state of tokens {seen} wide"
    );
    let states = state.layers.iter_mut();
    let y = layers.iter().zip(states).fold(tokens, |x, (layer, state)| {
        layer.forward(x, |attention, x| attention.forward_cached(x, state))
    });
    state.seen += time;
    (y, state)
}
