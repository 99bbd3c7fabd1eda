//! The controller's step.

use burn::module::Module;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// One step of a long short-term memory, gates in PyTorch's order (input, forget, cell, output).
///
/// Burn's runs over a whole sequence and keeps each gate apart; here each step's input depends on what
/// was read in the step before, and one product makes all gates.
#[derive(Module, Debug)]
pub(super) struct LstmCell {
    input: Linear,
    hidden: Linear,
    width: usize,
}

/// `[B, D]` each.
#[derive(Debug, Clone)]
pub(super) struct LstmState {
    pub(super) hidden: Tensor<2>,
    pub(super) cell: Tensor<2>,
}

impl LstmCell {
    pub(super) fn new(d_input: usize, width: usize, device: &Device) -> Self {
        Self {
            input: LinearConfig::new(d_input, 4 * width).init(device),
            hidden: LinearConfig::new(width, 4 * width).init(device),
            width,
        }
    }

    pub(super) fn parameter_count(d_input: usize, width: usize) -> usize {
        4 * width * (d_input + width + 2)
    }

    /// # Shapes
    /// - x: `[B, D_in]`
    pub(super) fn step(&self, x: Tensor<2>, state: LstmState) -> LstmState {
        let gates = self.input.forward(x) + self.hidden.forward(state.hidden);
        let gate = |i: usize| gates.clone().narrow(1, i * self.width, self.width);
        let fresh = sigmoid(gate(0)) * tanh(gate(2));
        let cell = sigmoid(gate(1)) * state.cell + fresh;
        LstmState {
            hidden: sigmoid(gate(3)) * tanh(cell.clone()),
            cell,
        }
    }
}
