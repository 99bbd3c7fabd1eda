//! One block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::ops::{Axes, LinearActivation};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::TsMixerConfig;

/// `x ← x + ReLU(W_t BN(x))` over time, then `x ← x + W₂ ReLU(W₁ BN(x))` over variables. The norms have
/// statistics of their own for each step of each variable.
#[derive(Module, Debug)]
pub struct TsMixerBlock {
    /// Of `N·L` cells, variable by variable.
    temporal_norm: BatchNorm,
    temporal: Linear,
    /// Of `L·N` cells, step by step.
    feature_norm: BatchNorm,
    feature1: Linear,
    feature2: Linear,
    dropout: Dropout,
}

impl TsMixerBlock {
    pub(super) fn new(config: &TsMixerConfig, device: &Device) -> Self {
        let (time, variables) = (config.windows.lookback, config.windows.n_targets);
        // Keras' settings: its momentum of 0.99 is the weight of what was.
        let norm = BatchNormConfig::new(time * variables)
            .with_eps(1e-3)
            .with_momentum(0.01);
        Self {
            temporal_norm: norm.init(device),
            temporal: LinearConfig::new(time, time).init(device),
            feature_norm: norm.init(device),
            feature1: LinearConfig::new(variables, config.ff_dim).init(device),
            feature2: LinearConfig::new(config.ff_dim, variables).init(device),
            dropout: DropoutConfig::new(config.dropout).init(device),
        }
    }

    /// # Shapes
    /// - x, output: `[B, L, N]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, variables] = x.dims();
        let cells = [batch, time * variables];
        let relu = LinearActivation::Relu;
        let y = x.clone().swapped(1, 2).reshape(cells);
        let y = self.temporal_norm.forward(y);
        let y = y.reshape([batch, variables, time]);
        let y = self.temporal.forward_activated(y, relu);
        let x = x + self.dropout.forward(y).swapped(1, 2);
        let y = self.feature_norm.forward(x.clone().reshape(cells));
        let y = y.reshape([batch, time, variables]);
        let y = self
            .dropout
            .forward(self.feature1.forward_activated(y, relu));
        self.dropout.residual(self.feature2.forward(y), x)
    }
}
