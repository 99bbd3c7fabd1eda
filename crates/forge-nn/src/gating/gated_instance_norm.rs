//! A gate between a stream and its normalised update.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{LiteGateUnit, LiteGateUnitConfig};
use crate::config_macro::config;
use crate::norm::{LayerNorm, LayerNormConfig};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`GatedInstanceNorm`].
    pub struct GatedInstanceNormConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
    }
}

/// Instance normalisation gated by a [`LiteGateUnit`]: the companion of
/// [`RevIn`](crate::norm::RevIn) inside a model, on tokens rather than on the raw series.
///
/// `y = x + σ(W x + b) ∘ (LN(block(x)) - x)`: each feature moves from the block's input to its
/// normalised output as far as the gate allows. Each token is its own instance, so the
/// normalisation is a layer normalisation.
///
/// cjfortu/FuturesSL, `GatedInstanceNorm` (after MIGT, arXiv 2502.07280).
#[derive(Module, Debug)]
pub struct GatedInstanceNorm {
    /// Of the block's output.
    pub norm: LayerNorm,
    /// Between input and normalised output.
    pub gate: LiteGateUnit,
}

impl ModuleConfig for GatedInstanceNormConfig {
    type Module = GatedInstanceNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> GatedInstanceNorm {
        GatedInstanceNorm {
            norm: LayerNormConfig::new(self.d_model)
                .with_eps(self.eps)
                .build(device),
            gate: LiteGateUnitConfig::new(self.d_model).build(device),
        }
    }
}

impl GatedInstanceNorm {
    /// Mixes a block's input and its normalised output.
    ///
    /// # Shapes
    /// - x, block_output and output: `[.., D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, block_output: Tensor<D>) -> Tensor<D> {
        let update = self.norm.forward(block_output) - x.clone();
        self.gate.forward(x, update)
    }
}
