//! Attention to neighbours.

use burn::tensor::Device;

use super::{GroupedQueryAttention, GroupedQueryAttentionConfig};
use crate::config_macro::config;
use crate::position::RotaryEmbeddingConfig;
use crate::{ForgeError, ModuleConfig};

config! {
    /// Recipe of sliding window self-attention: a [`GroupedQueryAttention`] with as many key/value as
    /// query heads that sees `window` neighbours on each side, or only before it when causal.
    ///
    /// Beltagy et al., "Longformer", arXiv 2004.05150, section 3.1. `window` counts neighbours on one
    /// side, the token itself is extra: Mistral's and transformers' `sliding_window` is `window + 1`.
    pub struct SlidingWindowAttentionConfig {
        /// Width of the tokens, a multiple of `n_heads`.
        pub d_model: usize,
        /// Heads, at least 1.
        pub n_heads: usize,
        /// Neighbours seen on one side; 0 sees only itself.
        pub window: usize,
        /// Look back only.
        #[config(default = true)]
        pub causal: bool,
        /// Biases on all four projections.
        #[config(default = false)]
        pub bias: bool,
        /// Dropout on the weights after the softmax, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
        /// Turn queries and keys by their positions.
        #[config(default = None)]
        pub rotary: Option<RotaryEmbeddingConfig>,
    }
}

impl SlidingWindowAttentionConfig {
    fn grouped(&self) -> GroupedQueryAttentionConfig {
        GroupedQueryAttentionConfig::new(self.d_model, self.n_heads, self.n_heads)
            .with_window(Some(self.window))
            .with_causal(self.causal)
            .with_bias(self.bias)
            .with_dropout(self.dropout)
            .with_rotary(self.rotary.clone())
    }
}

impl ModuleConfig for SlidingWindowAttentionConfig {
    type Module = GroupedQueryAttention;

    fn validate(&self) -> Result<(), ForgeError> {
        self.grouped().validate()
    }

    fn build(&self, device: &Device) -> GroupedQueryAttention {
        self.grouped().build(device)
    }
}
