//! The reference's small networks.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::LinearActivation;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use crate::reference::KeyMap;

/// `Linear(ReLU(Linear(x)))`: heads and projections.
#[derive(Module, Debug)]
pub(super) struct TwoLayers {
    input: Linear,
    output: Linear,
}

impl TwoLayers {
    pub(super) fn new([d_in, hidden, d_out]: [usize; 3], device: &Device) -> Self {
        Self {
            input: LinearConfig::new(d_in, hidden).init(device),
            output: LinearConfig::new(hidden, d_out).init(device),
        }
    }

    pub(super) fn parameter_count([d_in, hidden, d_out]: [usize; 3]) -> usize {
        (d_in + 1) * hidden + (hidden + 1) * d_out
    }

    pub(super) fn d_out(&self) -> usize {
        self.output.d_output()
    }

    /// # Shapes
    /// - x: `[.., D_in]`
    /// - output: `[.., D_out]`
    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let hidden = self.input.forward_activated(x, LinearActivation::Relu);
        self.output.forward(hidden)
    }

    pub(super) fn key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        map.linear(&format!("{ours}.input"), &format!("{theirs}.layers.0"))
            .linear(&format!("{ours}.output"), &format!("{theirs}.layers.2"))
    }

    /// The names of such a network in the reference, to be left out.
    pub(super) fn ignore(map: KeyMap, theirs: &str) -> KeyMap {
        ["0", "2"].into_iter().fold(map, |map, layer| {
            map.ignore(&format!("{theirs}.layers.{layer}.weight"))
                .ignore(&format!("{theirs}.layers.{layer}.bias"))
        })
    }
}
