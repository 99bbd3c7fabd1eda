use burn::config::Config;
use burn::module::{Flag, Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::heads::{Heads, active_dropout, split_heads};
use crate::ops::{AttentionMask, AttentionOptions};
use crate::{ForgeError, ModuleConfig, apply_linear, check};

/// Recipe of a [`CrossAttention`].
#[derive(Config, Debug, PartialEq)]
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
    /// Whether dropout may act.
    pub training: Param<Flag>,
    n_heads: usize,
    dropout: f64,
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
            training: Param::from_bool(true),
            n_heads: self.n_heads,
            dropout: self.dropout,
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
        apply_linear(&self.o_proj, heads.attend(mask, bias, &self.options()))
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
        (apply_linear(&self.o_proj, mixed), map)
    }

    fn project(&self, x: Tensor<3>, context: Tensor<3>) -> Heads {
        Heads {
            q: split_heads(apply_linear(&self.q_proj, x), self.n_heads),
            k: split_heads(apply_linear(&self.k_proj, context.clone()), self.n_heads),
            v: split_heads(apply_linear(&self.v_proj, context), self.n_heads),
        }
    }

    fn options(&self) -> AttentionOptions {
        AttentionOptions {
            dropout: active_dropout(self.dropout, &self.training),
            ..AttentionOptions::default()
        }
    }
}
