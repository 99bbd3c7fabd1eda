//! A gated residual.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`LiteGateUnit`].
    pub struct LiteGateUnitConfig {
        /// Width of the last axis, at least 1.
        pub d_model: usize,
    }
}

/// Lite Gate Unit (LGU): `y = x + σ(W x + b) ∘ update`, a residual whose update can be shut out
/// feature by feature where it is noise.
///
/// After the memory instance gated transformer (MIGT), arXiv 2502.07280, as implemented in
/// cjfortu/FuturesSL; the paper's equations were not available to check.
#[derive(Module, Debug)]
pub struct LiteGateUnit {
    /// `[D, D]`, reads the residual stream.
    pub gate_proj: Linear,
}

impl ModuleConfig for LiteGateUnitConfig {
    type Module = LiteGateUnit;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)
    }

    fn build(&self, device: &Device) -> LiteGateUnit {
        LiteGateUnit {
            gate_proj: LinearConfig::new(self.d_model, self.d_model).init(device),
        }
    }
}

impl LiteGateUnit {
    /// `x` plus the gated update.
    ///
    /// # Shapes
    /// - x, update and output: `[.., D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, update: Tensor<D>) -> Tensor<D> {
        let gate = sigmoid(self.gate_proj.forward(x.clone()));
        x + gate * update
    }
}
