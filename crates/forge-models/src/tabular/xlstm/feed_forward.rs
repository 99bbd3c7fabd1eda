//! The position-wise part of an sLSTM block.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{GluKind, gated, parts};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{narrow, rounded_up, small};
use crate::limits;

/// The activation of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XlstmActivation {
    /// With the exact distribution function.
    Gelu,
    /// `x · σ(x)`.
    Swish,
}

/// The feed-forward part: a gate and a value, `W_down(act(gate) · value)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XlstmFeedForwardConfig {
    /// Width inside as a factor of the token's, above 0; rounded up to a multiple of the field
    /// below.
    pub proj_factor: f64,
    /// At least 1.
    pub round_proj_up_to_multiple_of: usize,
    /// Activation of the gate.
    pub act_fn: XlstmActivation,
    /// Biases of both projections.
    pub bias: bool,
}

impl Default for XlstmFeedForwardConfig {
    fn default() -> Self {
        Self {
            proj_factor: 1.3,
            round_proj_up_to_multiple_of: 64,
            act_fn: XlstmActivation::Gelu,
            bias: false,
        }
    }
}

impl XlstmFeedForwardConfig {
    /// Width inside, for tokens `d` wide.
    #[must_use]
    pub fn proj_up_dim(&self, d: usize) -> usize {
        rounded_up(d, self.proj_factor, self.round_proj_up_to_multiple_of)
    }

    pub(super) fn validate(&self, d: usize) -> Result<(), ForgeError> {
        check::positive("proj_factor", self.proj_factor)?;
        let unit = self.round_proj_up_to_multiple_of;
        check::in_range("round_proj_up_to_multiple_of", unit, limits::WIDTH)?;
        let name = "proj_factor x embedding_dim";
        check::in_range(name, self.proj_up_dim(d), limits::WIDTH)
    }

    pub(super) fn parameter_count(&self, d: usize) -> usize {
        let inner = self.proj_up_dim(d);
        3 * d * inner + usize::from(self.bias) * (2 * inner + d)
    }
}

/// Made by [`XlstmFeedForwardConfig`].
#[derive(Module, Debug)]
pub(super) struct FeedForward {
    proj_up: Linear,
    proj_down: Linear,
    inner: usize,
    #[module(skip)]
    activation: XlstmActivation,
}

impl FeedForward {
    pub(super) fn new(
        config: &XlstmFeedForwardConfig,
        d: usize,
        blocks: usize,
        device: &Device,
    ) -> Self {
        let inner = config.proj_up_dim(d);
        let linear = |from, to, start| {
            LinearConfig::new(from, to)
                .with_bias(config.bias)
                .with_initializer(start)
                .with_bias_initializer(Some(Initializer::Zeros))
                .build(device)
        };
        Self {
            proj_up: linear(d, 2 * inner, small(d)),
            proj_down: linear(inner, d, narrow(d, blocks)),
            inner,
            activation: config.act_fn,
        }
    }

    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let [gate, value] = parts(self.proj_up.forward(x), D - 1, [self.inner; 2]);
        let kind = match self.activation {
            XlstmActivation::Gelu => GluKind::Gelu,
            XlstmActivation::Swish => GluKind::Silu,
        };
        self.proj_down.forward(gated(value, gate, kind))
    }
}
