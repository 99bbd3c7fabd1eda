//! Two linear layers.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::LinearActivation;
use forge_nn::parameters::KeyMap;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// `W₂ GELU(W₁ x)` over the last axis.
#[derive(Module, Debug)]
pub(super) struct TwoLayers {
    first: Linear,
    second: Linear,
}

impl TwoLayers {
    pub(super) fn new([from, hidden, to]: [usize; 3], device: &Device) -> Self {
        Self {
            first: LinearConfig::new(from, hidden).init(device),
            second: LinearConfig::new(hidden, to).init(device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = self.first.forward_activated(x, LinearActivation::Gelu);
        self.second.forward(hidden)
    }

    pub(super) fn parameter_count([from, hidden, to]: [usize; 3]) -> usize {
        (from + 1) * hidden + (hidden + 1) * to
    }

    /// A sequence of linear, GELU, linear there.
    pub(super) fn key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        map.linear(&format!("{ours}.first"), &format!("{theirs}.0"))
            .linear(&format!("{ours}.second"), &format!("{theirs}.2"))
    }
}
