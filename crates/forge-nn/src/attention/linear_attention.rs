//! The layer around linear attention.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};

use super::heads::{merge_heads, repeat_heads, split_heads};
use super::{
    LinearAttentionState, linear_attention, linear_attention_causal, linear_attention_rotary,
    linear_attention_rotary_causal,
};
use crate::config_macro::config;
use crate::position::{RotaryEmbedding, RotaryEmbeddingConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`LinearAttention`].
    pub struct LinearAttentionConfig {
        /// Width of the tokens, at least 1.
        pub d_model: usize,
        /// Query heads, at least 1.
        pub n_heads: usize,
        /// Key and value heads, a divisor of `n_heads`; without it `n_heads`.
        #[config(default = None)]
        pub n_kv_heads: Option<usize>,
        /// Width of a head; without it `d_model / n_heads`, which must then be whole.
        #[config(default = None)]
        pub head_dim: Option<usize>,
        /// Turn the features of queries and keys by their positions.
        #[config(default = None)]
        pub rotary: Option<RotaryEmbeddingConfig>,
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
/// Katharopoulos et al., "Transformers are RNNs", arXiv 2006.16236. With rotary positions it is
/// [`linear_attention_rotary`]; key/value heads serve consecutive query heads.
#[derive(Module, Debug)]
pub struct LinearAttention {
    /// `[D, H·d]`.
    pub q_proj: Linear,
    /// `[D, Hkv·d]`.
    pub k_proj: Linear,
    /// `[D, Hkv·d]`.
    pub v_proj: Linear,
    /// `[H·d, D]`.
    pub o_proj: Linear,
    /// Positions, if asked for.
    pub rotary: Option<RotaryEmbedding>,
    n_heads: usize,
    n_kv_heads: usize,
    causal: bool,
    eps: f64,
}

impl LinearAttentionConfig {
    fn kv_heads(&self) -> usize {
        self.n_kv_heads.unwrap_or(self.n_heads)
    }

    fn head_width(&self) -> usize {
        self.head_dim.unwrap_or(self.d_model / self.n_heads.max(1))
    }
}

impl ModuleConfig for LinearAttentionConfig {
    type Module = LinearAttention;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("n_heads", self.n_heads)?;
        check::divides("n_kv_heads", self.kv_heads(), "n_heads", self.n_heads)?;
        match self.head_dim {
            Some(width) => check::at_least_one("head_dim", width)?,
            None => check::divides("n_heads", self.n_heads, "d_model", self.d_model)?,
        }
        if let Some(rotary) = &self.rotary {
            rotary.validate()?;
            let widths = 2..=self.head_width();
            check::in_range("rotary.rotary_dim", rotary.rotary_dim, widths)?;
        }
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> LinearAttention {
        let linear = |from, to| {
            LinearConfig::new(from, to)
                .with_bias(self.bias)
                .init(device)
        };
        let width = self.head_width();
        let (queries, keys) = (self.n_heads * width, self.kv_heads() * width);
        LinearAttention {
            q_proj: linear(self.d_model, queries),
            k_proj: linear(self.d_model, keys),
            v_proj: linear(self.d_model, keys),
            o_proj: linear(queries, self.d_model),
            rotary: self.rotary.as_ref().map(|rotary| rotary.build(device)),
            n_heads: self.n_heads,
            n_kv_heads: self.kv_heads(),
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
        self.merge(match &self.rotary {
            Some(rotary) => linear_attention_rotary(q, k, v, key_valid, self.eps, rotary),
            None => linear_attention(q, k, v, key_valid, self.eps),
        })
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
        let eps = self.eps;
        self.merge(match &self.rotary {
            Some(rotary) => linear_attention_rotary_causal(q, k, v, key_valid, eps, rotary, state),
            None => linear_attention_causal(q, k, v, key_valid, eps, state),
        })
    }

    fn project(&self, x: Tensor<3>) -> [Tensor<4>; 3] {
        let groups = self.n_kv_heads;
        let q = split_heads(self.q_proj.forward(x.clone()), self.n_heads);
        let [k, v] = [&self.k_proj, &self.v_proj].map(|projection| {
            let heads = split_heads(projection.forward(x.clone()), groups);
            repeat_heads(heads, self.n_heads / groups)
        });
        [q, k, v]
    }

    fn merge(&self, mixed: Tensor<4>) -> Tensor<3> {
        self.o_proj.forward(merge_heads(mixed))
    }
}
