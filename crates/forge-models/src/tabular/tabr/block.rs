//! A residual block of encoder and predictor.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::TabRConfig;

/// `x + Dropout(Linear(Dropout(ReLU(Linear(LayerNorm(x))))))`; the first block of the encoder has no
/// norm.
#[derive(Module, Debug)]
pub struct TabRBlock {
    norm: Option<LayerNorm>,
    linear1: Linear,
    dropout0: Dropout,
    linear2: Linear,
    dropout1: Dropout,
}

impl TabRBlock {
    pub(super) fn new(config: &TabRConfig, norm: bool, device: &Device) -> Self {
        let (width, hidden) = (config.d_main, config.block_width());
        Self {
            norm: norm.then(|| LayerNormConfig::new(width).build(device)),
            linear1: LinearConfig::new(width, hidden).build(device),
            dropout0: DropoutConfig::new(config.dropout0).build(device),
            linear2: LinearConfig::new(hidden, width).build(device),
            dropout1: DropoutConfig::new(config.dropout1).build(device),
        }
    }

    /// Whether its dropout acts.
    pub(super) fn drops(&self) -> bool {
        self.dropout0.training.is_enabled()
    }

    /// # Shapes
    /// - x, output: `[B, D]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let normal = match &self.norm {
            Some(norm) => norm.forward(x.clone()),
            None => x.clone(),
        };
        let hidden = self
            .linear1
            .forward_activated(normal, LinearActivation::Relu);
        let change = self.linear2.forward(self.dropout0.forward(hidden));
        self.dropout1.residual(change, x)
    }
}
