//! From scale to scale.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::two_layers::TwoLayers;

/// `x_k ← x_k + W₂ GELU(W₁ x_{k-1})` over time, scale by scale in the order given.
#[derive(Module, Debug)]
pub(super) struct ScaleMixing {
    steps: Vec<TwoLayers>,
}

impl ScaleMixing {
    /// Between scales of these lengths.
    pub(super) fn new(lengths: &[usize], device: &Device) -> Self {
        let steps = lengths.windows(2);
        Self {
            steps: steps
                .map(|pair| TwoLayers::new([pair[0], pair[1], pair[1]], device))
                .collect(),
        }
    }

    pub(super) fn parameter_count(lengths: &[usize]) -> usize {
        let steps = lengths.windows(2);
        steps
            .map(|pair| TwoLayers::parameter_count([pair[0], pair[1], pair[1]]))
            .sum()
    }

    /// # Shapes
    /// - parts, output: `[B, D, L']` each
    pub(super) fn forward(&self, parts: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
        let mut mixed: Vec<Tensor<3>> = vec![];
        for (scale, part) in parts.into_iter().enumerate() {
            mixed.push(match mixed.last() {
                Some(before) => part + self.steps[scale - 1].forward(before.clone()),
                None => part,
            });
        }
        mixed
    }
}
