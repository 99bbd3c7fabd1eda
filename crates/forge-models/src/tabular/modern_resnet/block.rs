//! A residual block whose branch is gated, scaled and now and then left out.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::gating::{SqueezeExcitation, SqueezeExcitationConfig};
use forge_nn::norm::{BatchNorm, BatchNormConfig, LayerScale, LayerScaleConfig};
use forge_nn::regularisation::{DropPath, DropPathConfig, Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::{ModernResNetActivation, ModernResNetConfig};

/// `x + DropPath(γ ∘ SE(Linear(Dropout(act(Linear(BatchNorm(x)))))))`.
///
/// A row has no positions to average over: what squeeze and excitation squeezes is the row itself.
/// Gate, scale, drop path is timm's order.
#[derive(Module, Debug)]
pub struct ModernResNetBlock {
    norm: BatchNorm,
    linear1: Linear,
    dropout: Dropout,
    linear2: Linear,
    se: Option<SqueezeExcitation>,
    layer_scale: Option<LayerScale>,
    drop_path: DropPath,
    #[module(skip)]
    activation: ModernResNetActivation,
}

impl ModernResNetBlock {
    /// A block that is left out at `drop_rate`.
    pub(super) fn new(config: &ModernResNetConfig, drop_rate: f64, device: &Device) -> Self {
        let (width, hidden) = (config.d_block, config.d_hidden);
        let gate = SqueezeExcitationConfig::new(width, config.se_width());
        let scale = LayerScaleConfig::new(width).with_init(config.layer_scale_init);
        Self {
            norm: BatchNormConfig::new(width).build(device),
            linear1: LinearConfig::new(width, hidden).init(device),
            dropout: DropoutConfig::new(config.dropout).build(device),
            linear2: LinearConfig::new(hidden, width).init(device),
            se: config.use_se.then(|| gate.build(device)),
            layer_scale: config.has_scale().then(|| scale.build(device)),
            drop_path: DropPathConfig::new(drop_rate).build(device),
            activation: config.activation,
        }
    }

    /// # Shapes
    /// - x, output: `[B, D]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let normal = self.norm.forward(x.clone());
        let hidden = self
            .linear1
            .forward_activated(normal, self.activation.fused());
        let change = self.linear2.forward(self.dropout.forward(hidden));
        let change = match &self.se {
            Some(se) => se.forward(change),
            None => change,
        };
        let change = match &self.layer_scale {
            Some(scale) => scale.forward(change),
            None => change,
        };
        x + self.drop_path.forward(change)
    }
}
