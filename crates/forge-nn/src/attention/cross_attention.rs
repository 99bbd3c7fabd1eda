//! Attention of one sequence to another.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::heads::{Heads, split_heads};
use crate::config_macro::config;
use crate::ops::{AttentionMask, AttentionOptions};
use crate::regularisation::{Dropout, DropoutConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`CrossAttention`].
    pub struct CrossAttentionConfig {
        /// Width of the tokens that ask, a multiple of `n_heads`.
        pub d_model: usize,
        /// Width of the tokens that are asked, at least 1.
        pub d_context: usize,
        /// Heads, at least 1.
        pub n_heads: usize,
        /// Biases on all four projections.
        #[config(default = false)]
        pub bias: bool,
        /// Dropout on the weights after the softmax, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
    }
}

/// Attention of one sequence to another: queries from `x`, keys and values from `context`.
///
/// Vaswani et al., arXiv 1706.03762, section 3.2.3 (encoder-decoder attention).
#[derive(Module, Debug)]
pub struct CrossAttention {
    /// `[D, D]`.
    pub q_proj: Linear,
    /// `[C, D]`.
    pub k_proj: Linear,
    /// `[C, D]`.
    pub v_proj: Linear,
    /// `[D, D]`.
    pub o_proj: Linear,
    /// On the weights after the softmax.
    pub dropout: Dropout,
    n_heads: usize,
}

impl ModuleConfig for CrossAttentionConfig {
    type Module = CrossAttention;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("d_context", self.d_context)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::probability("dropout", self.dropout)
    }

    fn build(&self, device: &Device) -> CrossAttention {
        let linear = |from| {
            LinearConfig::new(from, self.d_model)
                .with_bias(self.bias)
                .init(device)
        };
        CrossAttention {
            q_proj: linear(self.d_model),
            k_proj: linear(self.d_context),
            v_proj: linear(self.d_context),
            o_proj: linear(self.d_model),
            dropout: DropoutConfig::new(self.dropout).build(device),
            n_heads: self.n_heads,
        }
    }
}

impl CrossAttention {
    /// What every token of `x` reads from `context`.
    ///
    /// # Shapes
    /// - x and output: `[B, Tq, D]`
    /// - context: `[B, Tk, C]`
    /// - bias: `[H, Tq, Tk]`, added to the scores
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward(
        &self,
        x: Tensor<3>,
        context: Tensor<3>,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
    ) -> Tensor<3> {
        let heads = self.project(x, context);
        self.o_proj
            .forward(heads.attend(mask, bias, &self.options()))
    }

    /// [`forward`](Self::forward) and the map `[B, H, Tq, Tk]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_with_map(
        &self,
        x: Tensor<3>,
        context: Tensor<3>,
        mask: AttentionMask,
        bias: Option<Tensor<3>>,
    ) -> (Tensor<3>, Tensor<4>) {
        let heads = self.project(x, context);
        let (mixed, map) = heads.attend_with_map(mask, bias, &self.options());
        (self.o_proj.forward(mixed), map)
    }

    fn project(&self, x: Tensor<3>, context: Tensor<3>) -> Heads {
        Heads {
            q: split_heads(self.q_proj.forward(x), self.n_heads),
            k: split_heads(self.k_proj.forward(context.clone()), self.n_heads),
            v: split_heads(self.v_proj.forward(context), self.n_heads),
        }
    }

    fn options(&self) -> AttentionOptions {
        AttentionOptions {
            dropout: self.dropout.rate(),
            ..AttentionOptions::default()
        }
    }
}
