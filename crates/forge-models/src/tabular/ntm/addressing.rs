//! Where a head points.

use burn::tensor::Tensor;
use forge_nn::activation::{sigmoid, softmax, softplus};

/// Sizes below this are taken as this: of a vector without a direction, and of a weight whose
/// logarithm is taken.
const SMALLEST_NORM: f64 = 1e-8;
const SMALLEST_WEIGHT: f64 = 1e-30;

/// What a head says of where it points, out of a row
/// `[key (M), strength, gate, shifts (3), sharpness, …]`.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// `[B, M]`.
    key: Tensor<2>,
    /// `[B, 1]`, above 0.
    strength: Tensor<2>,
    /// `[B, 1]`, in `(0, 1)`: how much the content counts beside the weights before.
    gate: Tensor<2>,
    /// `[B, 3]`, summing to 1: for one slot up, none, one slot down.
    shifts: Tensor<2>,
    /// `[B, 1]`, above 1.
    sharpness: Tensor<2>,
}

/// The weights of a head over the slots, `[B, N]`, step by step. The last are what it reads or writes
/// with.
#[derive(Debug, Clone)]
pub struct NtmAddresses {
    /// By content: `softmax(β cos(key, slot))`.
    pub content: Tensor<2>,
    /// `g · content + (1 - g) · weights before`.
    pub gated: Tensor<2>,
    /// Moved along the slots, the last beside the first.
    pub shifted: Tensor<2>,
    /// `shifted^γ`, scaled to sum to 1.
    pub weights: Tensor<2>,
}

impl Address {
    /// Width of such a row for slots of that size.
    pub(super) fn width(slot_size: usize) -> usize {
        slot_size + 6
    }

    /// # Shapes
    /// - row: `[B, M + 6]` or wider
    pub(super) fn read(row: &Tensor<2>, slot_size: usize) -> Self {
        let part = |start, width| row.clone().narrow(1, slot_size + start, width);
        Self {
            key: row.clone().narrow(1, 0, slot_size),
            strength: softplus(part(0, 1)),
            gate: sigmoid(part(1, 1)),
            shifts: softmax(part(2, 3), 1),
            sharpness: softplus(part(5, 1)) + 1.0,
        }
    }

    /// # Shapes
    /// - memory: `[B, N, M]`, before: `[B, N]`
    pub(super) fn find(self, memory: &Tensor<3>, before: Tensor<2>) -> NtmAddresses {
        let content = softmax(self.similarity(memory) * self.strength.clone(), 1);
        let gated = before.clone() + (content.clone() - before) * self.gate;
        let [_, slots] = gated.dims();
        // Slot i + by, the last beside the first.
        let moved = |by: usize| {
            let by = by % slots;
            let front = gated.clone().narrow(1, 0, by);
            let back = gated.clone().narrow(1, by, slots - by);
            if by == 0 {
                back
            } else {
                Tensor::cat(vec![back, front], 1)
            }
        };
        let shift = |i| self.shifts.clone().narrow(1, i, 1);
        let shifted = moved(slots - 1) * shift(0) + gated.clone() * shift(1) + moved(1) * shift(2);
        // The powers, divided by their sum, without their underflow.
        let logarithms = shifted.clone().clamp_min(SMALLEST_WEIGHT).log();
        let weights = softmax(logarithms * self.sharpness, 1);
        NtmAddresses {
            content,
            gated,
            shifted,
            weights,
        }
    }

    /// Cosines of the key with every slot, `[B, N]`.
    fn similarity(&self, memory: &Tensor<3>) -> Tensor<2> {
        let key = self.key.clone().unsqueeze_dim::<3>(2);
        let products = memory.clone().matmul(key.clone()).squeeze_dim::<2>(2);
        let squares = memory.clone().square().sum_dim(2).squeeze_dim::<2>(2);
        let key_squares = self.key.clone().square().sum_dim(1);
        // The root of 0 has no slope.
        let norm = |squares: Tensor<2>| squares.clamp_min(SMALLEST_NORM * SMALLEST_NORM).sqrt();
        products / (norm(squares) * norm(key_squares))
    }
}
