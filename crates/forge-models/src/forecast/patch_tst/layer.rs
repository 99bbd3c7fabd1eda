//! One layer of the encoder.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::attention::{Attended, Wanted};
use super::{PatchTstConfig, ResidualAttention};
use crate::forecast::HiddenActivation;

/// `x ← BatchNorm(x + attention(x))`, then `x ← BatchNorm(x + feed-forward(x))`, the statistics of
/// each feature over all patches.
///
/// With the norm first (`pre_norm`) the residual is that of the *normalised* value, as in the
/// authors' code: `x ← BatchNorm(x) + attention(BatchNorm(x))`.
#[derive(Module, Debug)]
pub struct PatchTstLayer {
    attention: ResidualAttention,
    attention_norm: BatchNorm,
    linear1: Linear,
    linear2: Linear,
    ffn_norm: BatchNorm,
    dropout: Dropout,
    pre_norm: bool,
    #[module(skip)]
    activation: HiddenActivation,
}

impl PatchTstLayer {
    pub(super) fn new(config: &PatchTstConfig, device: &Device) -> Self {
        let (width, dropout) = (config.d_model, config.dropout);
        let norm = || BatchNormConfig::new(width).init(device);
        Self {
            attention: ResidualAttention::new(width, config.n_heads, dropout, device),
            attention_norm: norm(),
            linear1: LinearConfig::new(width, config.d_ff).init(device),
            linear2: LinearConfig::new(config.d_ff, width).init(device),
            ffn_norm: norm(),
            dropout: DropoutConfig::new(dropout).init(device),
            pre_norm: config.pre_norm,
            activation: config.act,
        }
    }

    /// # Shapes
    /// - x: `[B, T, D]`, before: `[B, H, T, T]`
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        before: Option<Tensor<4>>,
        wanted: Wanted,
    ) -> Attended {
        let x = self.norm_if(self.pre_norm, &self.attention_norm, x);
        let attended = self.attention.forward(x.clone(), before, wanted);
        let x = self.dropout.residual(attended.y, x);
        let x = self.norm_if(!self.pre_norm, &self.attention_norm, x);
        let x = self.norm_if(self.pre_norm, &self.ffn_norm, x);
        let activation = self.activation.into();
        let hidden = self.linear1.forward_activated(x.clone(), activation);
        let change = self.linear2.forward(self.dropout.forward(hidden));
        let x = self.dropout.residual(change, x);
        Attended {
            y: self.norm_if(!self.pre_norm, &self.ffn_norm, x),
            ..attended
        }
    }

    fn norm_if(&self, on: bool, norm: &BatchNorm, x: Tensor<3>) -> Tensor<3> {
        if !on {
            return x;
        }
        let [batch, time, width] = x.dims();
        // Features are the last axis here: rows of all patches.
        norm.forward(x.reshape([batch * time, width]))
            .reshape([batch, time, width])
    }
}
