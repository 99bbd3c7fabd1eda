//! The layer around linear attention.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};

use super::heads::{merge_heads, split_heads};
use super::{LinearAttentionState, linear_attention, linear_attention_causal};
use crate::config_macro::config;
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`LinearAttention`].
    pub struct LinearAttentionConfig {
        /// Width of the tokens, a multiple of `n_heads`.
        pub d_model: usize,
        /// Heads, at least 1.
        pub n_heads: usize,
        /// Each token sees itself and those before it.
        #[config(default = false)]
        pub causal: bool,
        /// Biases on all four projections.
        #[config(default = true)]
        pub bias: bool,
        /// Added to the normaliser; above 0.
        #[config(default = 1e-6)]
        pub eps: f64,
    }
}

/// Self-attention whose time and memory grow linearly with the sequence:
/// [`linear_attention`] between a projection to heads and one back.
///
/// Katharopoulos et al., "Transformers are RNNs", arXiv 2006.16236.
#[derive(Module, Debug)]
pub struct LinearAttention {
    /// `[D, D]`.
    pub q_proj: Linear,
    /// `[D, D]`.
    pub k_proj: Linear,
    /// `[D, D]`.
    pub v_proj: Linear,
    /// `[D, D]`.
    pub o_proj: Linear,
    n_heads: usize,
    causal: bool,
    eps: f64,
}

impl ModuleConfig for LinearAttentionConfig {
    type Module = LinearAttention;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::divides("n_heads", self.n_heads, "d_model", self.d_model)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> LinearAttention {
        let linear = || {
            LinearConfig::new(self.d_model, self.d_model)
                .with_bias(self.bias)
                .init(device)
        };
        LinearAttention {
            q_proj: linear(),
            k_proj: linear(),
            v_proj: linear(),
            o_proj: linear(),
            n_heads: self.n_heads,
            causal: self.causal,
            eps: self.eps,
        }
    }
}

impl LinearAttention {
    /// Self-attention.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    /// - key_valid: `[B, T]`, true for tokens that count
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward(&self, x: Tensor<3>, key_valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        if self.causal {
            return self.forward_cached(x, key_valid, &mut LinearAttentionState::new());
        }
        let [q, k, v] = self.project(x);
        self.merge(linear_attention(q, k, v, key_valid, self.eps))
    }

    /// Causal self-attention for the next piece of a sequence; `state` is what is left of the
    /// earlier ones.
    ///
    /// # Shapes
    /// - x and output: `[B, T, D]`
    /// - key_valid: `[B, T]`, true for the piece's tokens that count
    ///
    /// # Panics
    /// If the layer is not causal or the shapes disagree.
    pub fn forward_cached(
        &self,
        x: Tensor<3>,
        key_valid: Option<Tensor<2, Bool>>,
        state: &mut LinearAttentionState,
    ) -> Tensor<3> {
        assert!(self.causal, "only a causal layer can use a state");
        let [q, k, v] = self.project(x);
        self.merge(linear_attention_causal(q, k, v, key_valid, self.eps, state))
    }

    fn project(&self, x: Tensor<3>) -> [Tensor<4>; 3] {
        [&self.q_proj, &self.k_proj, &self.v_proj]
            .map(|projection| split_heads(projection.forward(x.clone()), self.n_heads))
    }

    fn merge(&self, mixed: Tensor<4>) -> Tensor<3> {
        self.o_proj.forward(merge_heads(mixed))
    }
}
