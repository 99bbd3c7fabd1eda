//! From a pooled token to predictions.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use crate::reference::KeyMap;

/// `Linear(ReLU(LayerNorm(x)))`: the prediction head of Gorishniy et al. 2021, section 3.3.
#[derive(Module, Debug)]
pub struct TokenHead {
    norm: LayerNorm,
    linear: Linear,
}

impl TokenHead {
    /// A head from width `d_token` to `d_out`. Both must be at least 1.
    #[must_use]
    pub fn new(d_token: usize, d_out: usize, device: &Device) -> Self {
        Self {
            norm: LayerNormConfig::new(d_token).build(device),
            linear: LinearConfig::new(d_token, d_out).init(device),
        }
    }

    /// Number of trainable parameters of such a head.
    #[must_use]
    pub fn parameter_count(d_token: usize, d_out: usize) -> usize {
        2 * d_token + (d_token + 1) * d_out
    }

    /// Width of the output.
    #[must_use]
    pub fn d_out(&self) -> usize {
        self.linear.d_output()
    }

    /// # Shapes
    /// - token: `[B, D]`
    /// - output: `[B, D_out]`
    ///
    /// # Panics
    /// If the token is not `D` wide.
    #[must_use]
    pub fn forward(&self, token: Tensor<2>) -> Tensor<2> {
        self.linear.forward(relu(self.norm.forward(token)))
    }

    /// Adds a head at `ours` that the reference keeps at `theirs`.normalization and .linear.
    pub(crate) fn key_map(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        map.norm(&format!("{ours}.norm"), &format!("{theirs}.normalization"))
            .linear(&format!("{ours}.linear"), &format!("{theirs}.linear"))
    }
}
