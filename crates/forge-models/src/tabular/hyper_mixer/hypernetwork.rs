//! What makes one matrix of the token mixing.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::split_heads;
use forge_nn::ops::{Axes, LinearActivation};
use forge_nn::{GroupedLinear, GroupedLinearConfig, ModuleConfig};

use super::HyperMixingConfig;
use crate::reference::KeyMap;

/// `Linear(GELU(Linear(token)))` for every token, head by head: a row of `W₁` or `W₂` each.
#[derive(Module, Debug)]
pub(super) struct Hypernetwork {
    first: GroupedLinear,
    second: GroupedLinear,
}

impl Hypernetwork {
    fn layers(config: &HyperMixingConfig) -> [GroupedLinearConfig; 2] {
        let (heads, width) = (config.n_heads, config.d_model / config.n_heads.max(1));
        let hidden = config.d_hypernet / config.n_heads.max(1);
        [width, hidden]
            .map(|to| GroupedLinearConfig::new(heads, width, to).with_bias(config.hypernet_bias))
    }

    pub(super) fn new(config: &HyperMixingConfig, device: &Device) -> Self {
        let [first, second] = Self::layers(config).map(|layer| layer.build(device));
        Self { first, second }
    }

    pub(super) fn parameter_count(config: &HyperMixingConfig) -> usize {
        Self::layers(config)
            .iter()
            .map(|layer| layer.parameter_count())
            .sum()
    }

    pub(super) fn key_map(
        config: &HyperMixingConfig,
        map: KeyMap,
        ours: &str,
        theirs: &str,
    ) -> KeyMap {
        let layers = Self::layers(config);
        let names = [("first", "fc1"), ("second", "fc2")];
        layers
            .iter()
            .zip(names)
            .fold(map, |map, (layer, (name, fc))| {
                let shape = [layer.n_groups, layer.d_output, layer.d_input];
                let (weight, bias) = (
                    format!("{theirs}.{fc}_weights"),
                    format!("{theirs}.{fc}_biases"),
                );
                let map = map.transposed_groups(&format!("{ours}.{name}.weight"), &weight, shape);
                match layer.bias {
                    true => map.same(&format!("{ours}.{name}.bias"), &bias),
                    false => map,
                }
            })
    }

    /// # Shapes
    /// - tokens: `[B, T, D]`
    /// - output: `[B, H, T, K/H]`
    pub(super) fn forward(&self, tokens: Tensor<3>) -> Tensor<4> {
        let [batch, time, _] = tokens.dims();
        let (heads, width) = (self.first.n_groups(), self.first.d_input());
        let apart = split_heads(tokens, heads)
            .swapped(0, 1)
            .reshape([heads, batch * time, width]);
        let hidden = self
            .first
            .forward_apart_activated(apart, LinearActivation::Gelu);
        let rows = self.second.forward_apart(hidden);
        rows.reshape([heads, batch, time, self.second.d_output()])
            .swapped(0, 1)
    }
}
