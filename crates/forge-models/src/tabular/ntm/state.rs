//! What is remembered between tokens.

use burn::tensor::Tensor;
use forge_nn::carried;
use forge_nn::recurrent::LstmState;

use super::NtmAddresses;

/// What a Neural Turing Machine remembers of the tokens seen: the memory, where the heads point, what
/// they read, and the controller's own state.
#[derive(Debug, Clone)]
pub struct NtmState {
    pub(super) controller: LstmState,
    /// `[B, N, M]`.
    pub(super) memory: Tensor<3>,
    pub(super) heads: Vec<HeadState>,
}

#[derive(Debug, Clone)]
pub(super) struct HeadState {
    /// What was read, `[B, M]`.
    pub(super) read: Tensor<2>,
    /// `[B, N]`.
    pub(super) read_weights: Tensor<2>,
    /// `[B, N]`.
    pub(super) write_weights: Tensor<2>,
    /// Of the last step; none before the first.
    pub(super) last: Option<[NtmAddresses; 2]>,
}

carried!(NtmState {
    controller,
    memory,
    heads
});
carried!(HeadState {
    read,
    read_weights,
    write_weights,
    last
});
carried!(NtmAddresses {
    content,
    gated,
    shifted,
    weights
});

impl NtmState {
    /// The memory: slots of numbers.
    ///
    /// # Shapes
    /// - output: `[B, N, M]`
    #[must_use]
    pub fn memory(&self) -> Tensor<3> {
        self.memory.clone()
    }

    /// Where each pair of heads read and wrote in the last step; empty before the first.
    #[must_use]
    pub fn addresses(&self) -> Vec<[&NtmAddresses; 2]> {
        let last = self.heads.iter().filter_map(|head| head.last.as_ref());
        last.map(|[read, write]| [read, write]).collect()
    }
}
