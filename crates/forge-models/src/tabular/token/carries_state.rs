//! Token by token.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use forge_nn::ForgeError;
use forge_nn::ops::split;
use forge_nn::recurrent::Carried;

use super::{Backbone, state_file};

/// A causal backbone that can also take its tokens one at a time, with what it remembers handed
/// from step to step: equal to [`Backbone::forward`] on the whole sequence.
pub trait CarriesState: Backbone {
    /// What is remembered of the tokens seen; a value that can be cloned, kept and gone back to,
    /// [`detached`](Carried::detached) from what it came from, and whose sequences can be
    /// [taken out](Carried::select) and put [beside those of others](Carried::cat).
    type State: Clone + Carried;

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

    /// The next tokens' outputs and the state after them, as [`step`](Self::step) after step gives them: a
    /// history is read at once, in time as of [`Backbone::forward`], before what comes then is taken token by
    /// token. Sequences can be cut anywhere.
    ///
    /// # Shapes
    /// - tokens, output: `[B, T, D]`, all of which count
    ///
    /// # Panics
    /// If the tokens do not fit the state.
    fn steps(&self, tokens: Tensor<3>, state: Self::State) -> (Tensor<3>, Self::State) {
        match tokens.dims()[1] {
            0 => (tokens, state),
            _ => self.some_steps(tokens, state),
        }
    }

    /// [`steps`](Self::steps) of at least one token: what a backbone gives that has a faster way than step by
    /// step.
    ///
    /// # Panics
    /// If the tokens do not fit the state.
    fn some_steps(&self, tokens: Tensor<3>, state: Self::State) -> (Tensor<3>, Self::State) {
        let (mut state, mut outputs) = (state, vec![]);
        for token in split(tokens, 1, 1) {
            let (y, next) = self.step(token.squeeze_dim(1), state);
            state = next;
            outputs.push(y);
        }
        (Tensor::stack(outputs, 1), state)
    }

    /// Writes what is remembered to one safetensors file, whole or not at all: a process that begins anew
    /// goes on where this one stands, without reading the history again. All numbers come back as they are.
    ///
    /// # Errors
    /// An I/O error naming the file; a weights error if weights or state cannot be read back from their
    /// device.
    fn write_state(&self, state: &Self::State, path: impl AsRef<Path>) -> Result<(), ForgeError> {
        state_file::write(self, state, path.as_ref())
    }

    /// Reads what [`write_state`](Self::write_state) wrote, onto `device`, where this backbone is too.
    ///
    /// # Errors
    /// An I/O error; an artifact error saying what is wrong with the file, also where a backbone with other
    /// weights remembered it.
    fn read_state(
        &self,
        path: impl AsRef<Path>,
        device: &Device,
    ) -> Result<Self::State, ForgeError> {
        state_file::read(self, path.as_ref(), device)
    }
}

/// Tokens through layers that remember, one layer after the other.
///
/// # Panics
/// If there are not as many states as layers.
pub(crate) fn through<L, S, X>(
    layers: &[L],
    states: Vec<S>,
    tokens: X,
    layer: impl Fn(&L, X, S) -> (X, S),
) -> (X, Vec<S>) {
    assert!(
        states.len() == layers.len(),
        "the state of {} layers for a backbone of {}",
        states.len(),
        layers.len()
    );
    let mut next = Vec::with_capacity(layers.len());
    let y = layers.iter().zip(states).fold(tokens, |x, (each, state)| {
        let (y, state) = layer(each, x, state);
        next.push(state);
        y
    });
    (y, next)
}
