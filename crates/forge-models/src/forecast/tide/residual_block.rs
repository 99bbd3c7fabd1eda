//! The block that all of the model is made of.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::LinearActivation;
use forge_nn::parameters::KeyMap;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::TideConfig;

/// `LN(dropout(W_2 relu(W_1 x)) + W_3 x)`, the normalisation only where it is asked for.
///
/// Das et al. 2023, section 4.1.
#[derive(Module, Debug)]
pub(super) struct ResidualBlock {
    hidden: Linear,
    output: Linear,
    skip: Linear,
    dropout: Dropout,
    norm: Option<LayerNorm>,
}

/// Widths of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widths {
    pub(super) from: usize,
    pub(super) hidden: usize,
    pub(super) to: usize,
}

impl ResidualBlock {
    pub(super) fn new(config: &TideConfig, widths: Widths, device: &Device) -> Self {
        let Widths { from, hidden, to } = widths;
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            hidden: linear(from, hidden),
            output: linear(hidden, to),
            skip: linear(from, to),
            dropout: DropoutConfig::new(config.dropout).build(device),
            norm: config
                .layernorm
                .then(|| LayerNormConfig::new(to).build(device)),
        }
    }

    pub(super) fn parameter_count(config: &TideConfig, widths: Widths) -> usize {
        let Widths { from, hidden, to } = widths;
        let norm = if config.layernorm { 2 * to } else { 0 };
        (from + 1) * hidden + (hidden + 1) * to + (from + 1) * to + norm
    }

    pub(super) fn key_map(map: KeyMap, config: &TideConfig, ours: &str, theirs: &str) -> KeyMap {
        let map = map
            .linear(&format!("{ours}.hidden"), &format!("{theirs}.lin1"))
            .linear(&format!("{ours}.output"), &format!("{theirs}.lin2"))
            .linear(&format!("{ours}.skip"), &format!("{theirs}.skip"));
        match config.layernorm {
            true => map.norm(&format!("{ours}.norm"), &format!("{theirs}.norm")),
            false => map,
        }
    }

    /// # Shapes
    /// - x: `[.., from]`
    /// - output: `[.., to]`
    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let skip = self.skip.forward(x.clone());
        let hidden = self.hidden.forward_activated(x, LinearActivation::Relu);
        let y = self.dropout.residual(self.output.forward(hidden), skip);
        match &self.norm {
            Some(norm) => norm.forward(y),
            None => y,
        }
    }
}
