//! Token by token.

use burn::tensor::{Device, Tensor};

use super::Backbone;

/// A causal backbone that can also take its tokens one at a time, with what it remembers handed
/// from step to step: equal to [`Backbone::forward`] on the whole sequence.
pub trait CarriesState: Backbone {
    /// What is remembered of the tokens seen; a value that can be cloned, kept and gone back to.
    type State: Clone;

    /// The state before the first token of `batch` sequences.
    fn start(&self, batch: usize, device: &Device) -> Self::State;

    /// The next token's output and the state after it.
    ///
    /// # Shapes
    /// - token, output: `[B, D]`
    ///
    /// # Panics
    /// If the token does not fit the state.
    fn step(&self, token: Tensor<2>, state: Self::State) -> (Tensor<2>, Self::State);
}
