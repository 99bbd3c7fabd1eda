//! A linear layer that gates itself.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::ops::{GluKind, glu};
use crate::regularisation::{Dropout, DropoutConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`GatedLinear`].
    pub struct GatedLinearConfig {
        /// Width of the input, at least 1.
        pub d_input: usize,
        /// Width of the output, at least 1.
        pub d_output: usize,
        /// Dropout on the input, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
    }
}

/// Gated linear unit with its linear maps: `y = (W_1 x + b_1) ∘ σ(W_2 x + b_2)`, by which a part of a
/// network can be shut out.
///
/// Dauphin et al. 2017 (arXiv 1612.08083), equation (1); Lim et al. 2021 (arXiv 1912.09363), equation
/// (5), with the dropout that their authors' code has before it.
#[derive(Module, Debug)]
pub struct GatedLinear {
    /// `[D_in, 2 D_out]`: what passes, then the gates.
    pub linear: Linear,
    /// On the input.
    pub dropout: Dropout,
}

impl GatedLinearConfig {
    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        (self.d_input + 1) * 2 * self.d_output
    }
}

impl ModuleConfig for GatedLinearConfig {
    type Module = GatedLinear;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_input", self.d_input)?;
        check::at_least_one("d_output", self.d_output)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> GatedLinear {
        GatedLinear {
            linear: LinearConfig::new(self.d_input, 2 * self.d_output).init(device),
            dropout: DropoutConfig::new(self.dropout).build(device),
        }
    }
}

impl GatedLinear {
    /// Applies the layer.
    ///
    /// # Shapes
    /// - x: `[.., D_in]`
    /// - output: `[.., D_out]`
    ///
    /// # Panics
    /// If the last axis is not `d_input`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let both = self.linear.forward(self.dropout.forward(x));
        glu(both, GluKind::Sigmoid)
    }
}
