//! How a target looks at a context.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::neural_process::Mlp;

/// Attention of an attentive neural process: encoded points look at each other in `self_attention`
/// layers, then each target asks the context by its input, and what it is answered is its
/// representation.
///
/// Queries and keys are the inputs of targets and context through one perceptron, values are the encoded
/// points, as in the authors' code. Kim et al., arXiv 1901.05761, section 3. Their code has no
/// self-attention, and the paper leaves open how it is wrapped: here a layer adds to the points what
/// attention gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextAttentionConfig {
    /// Heads, at least 1, dividing the last of `encoder_sizes`. Default: 8.
    pub n_heads: usize,
    /// Widths of the hidden layers between an input and its query or key, which are as wide as a
    /// representation; may be empty. Default: 128.
    pub key_sizes: Vec<usize>,
    /// Layers of self-attention over the context, 0 to 64. Default: 0.
    pub self_attention: usize,
}

impl Default for ContextAttentionConfig {
    fn default() -> Self {
        Self {
            n_heads: 8,
            key_sizes: vec![128],
            self_attention: 0,
        }
    }
}

impl ContextAttentionConfig {
    pub(super) fn validate(&self, width: usize) -> Result<(), ForgeError> {
        check::at_least_one("attention.n_heads", self.n_heads)?;
        let last = "the last of encoder_sizes";
        check::divides("attention.n_heads", self.n_heads, last, width)?;
        check::in_range("attention.self_attention", self.self_attention, 0..=64)?;
        let mut sizes = self.key_sizes.iter();
        sizes.try_for_each(|size| check::at_least_one("attention.key_sizes", *size))
    }

    pub(super) fn build(&self, d_x: usize, width: usize, device: &Device) -> ContextAttention {
        let attention = || MultiHeadAttentionConfig::new(width, self.n_heads).build(device);
        let sizes = [self.key_sizes.as_slice(), &[width]].concat();
        ContextAttention {
            keys: Mlp::new(d_x, &sizes, device),
            among: (0..self.self_attention).map(|_| attention()).collect(),
            across: attention(),
        }
    }
}

#[derive(Module, Debug)]
pub(super) struct ContextAttention {
    keys: Mlp,
    among: Vec<MultiHeadAttention>,
    across: MultiHeadAttention,
}

impl ContextAttention {
    /// # Shapes
    /// - x: `[B, T, D_x]`, seen: `[B, N, D_x]`, encoded: `[B, N, R]`
    /// - output: `[B, T, R]`
    pub(super) fn forward(&self, x: Tensor<3>, seen: Tensor<3>, encoded: Tensor<3>) -> Tensor<3> {
        let values = self.among.iter().fold(encoded, |points, layer| {
            points.clone() + layer.forward(points, AttentionMask::none(), None)
        });
        let (queries, keys) = (self.keys.forward(x), self.keys.forward(seen));
        let none = AttentionMask::none();
        self.across.forward_cross(queries, keys, values, none, None)
    }
}
