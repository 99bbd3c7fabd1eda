//! Pooling by the attention of one learnable query.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};

use crate::config_macro::config;
use crate::ops::{AttentionMask, AttentionOptions, attention};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of an [`AttentionPooling`].
    pub struct AttentionPoolingConfig {
        /// Width of a token, at least 1.
        pub d_model: usize,
    }
}

/// Pools tokens by the attention of one learnable query `u`:
/// `y = Σ_t softmax(u · x_t / √D)_t x_t`.
///
/// After Yang et al., "Hierarchical Attention Networks", NAACL 2016, equations (5) to (7), without
/// the hidden layer before the score.
#[derive(Module, Debug)]
pub struct AttentionPooling {
    /// `u`, `[D]`, from a standard normal.
    pub query: Param<Tensor<1>>,
}

impl ModuleConfig for AttentionPoolingConfig {
    type Module = AttentionPooling;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)
    }

    fn build(&self, device: &Device) -> AttentionPooling {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        AttentionPooling {
            query: normal.init([self.d_model], device),
        }
    }
}

impl AttentionPooling {
    /// Pools the valid tokens; zeros where there is none.
    ///
    /// # Shapes
    /// - x: `[B, T, D]`, valid: `[B, T]`, true for tokens that count
    /// - output: `[B, D]`
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward(&self, x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<2> {
        let [batch, _, width] = x.dims();
        let query = self.query.val().reshape([1, 1, 1, width]);
        let tokens = x.unsqueeze_dim::<4>(1);
        let mask = valid.map_or_else(AttentionMask::none, AttentionMask::key_valid);
        let options = AttentionOptions::default();
        let query = query.expand([batch, 1, 1, width]);
        attention(query, tokens.clone(), tokens, mask, None, &options).reshape([batch, width])
    }
}
