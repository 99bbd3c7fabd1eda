//! The gated feed-forward layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::ops::{GluKind, gated};
use crate::regularisation::{Dropout, DropoutConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`GatedFeedForward`].
    pub struct GatedFeedForwardConfig {
        /// Width of the tokens, at least 1.
        pub d_model: usize,
        /// Width of the gated layer, at least 1. Two thirds of a plain feed-forward's width keep the
        /// parameter count (arXiv 2002.05202, section 2).
        pub d_hidden: usize,
        /// Which activation gates: `Silu` is SwiGLU, `Gelu` GeGLU, `Relu` ReGLU, `Sigmoid` GLU.
        #[config(default = GluKind::Silu)]
        pub kind: GluKind,
        /// Biases on the three products. The paper has none.
        #[config(default = false)]
        pub bias: bool,
        /// Dropout after the gate, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
    }
}

/// Gated feed-forward layer: SwiGLU, GeGLU, ReGLU or GLU.
///
/// `y = W_down (act(W_gate x) ∘ W_up x)`
///
/// Shazeer, arXiv 2002.05202, equation (6), where `W_gate`, `W_up`, `W_down` are `W`, `V`, `W₂`.
#[derive(Module, Debug)]
pub struct GatedFeedForward {
    /// `[D, D_hidden]`, feeds the activation.
    pub w_gate: Linear,
    /// `[D, D_hidden]`, is gated.
    pub w_up: Linear,
    /// `[D_hidden, D]`.
    pub w_down: Linear,
    /// On the gated layer.
    pub dropout: Dropout,
    #[module(skip)]
    kind: GluKind,
}

impl ModuleConfig for GatedFeedForwardConfig {
    type Module = GatedFeedForward;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("d_hidden", self.d_hidden)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> GatedFeedForward {
        let linear = |from, to| {
            LinearConfig::new(from, to)
                .with_bias(self.bias)
                .init(device)
        };
        GatedFeedForward {
            w_gate: linear(self.d_model, self.d_hidden),
            w_up: linear(self.d_model, self.d_hidden),
            w_down: linear(self.d_hidden, self.d_model),
            dropout: DropoutConfig::new(self.dropout).build(device),
            kind: self.kind,
        }
    }
}

impl GatedFeedForward {
    /// Applies the layer to every token.
    ///
    /// # Shapes
    /// - input and output: `[.., D]`
    ///
    /// # Panics
    /// If the last axis is not `d_model`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        // Two products: joining the two matrices for one, and `ops::glu`, is no faster (measured).
        let (value, gate) = (self.w_up.forward(x.clone()), self.w_gate.forward(x));
        let hidden = gated(value, gate, self.kind);
        self.w_down.forward(self.dropout.forward(hidden))
    }
}
