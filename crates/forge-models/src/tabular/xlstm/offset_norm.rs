//! Layer normalisation whose weight is stored as the difference to 1.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::layer_norm;

const EPSILON: f64 = 1e-5;

/// `(x - mean) / √(var + ε) · (1 + w)` over the last axis, without a bias.
#[derive(Module, Debug)]
pub(super) struct OffsetNorm {
    /// `w`, `[D]`, from zeros.
    weight: Param<Tensor<1>>,
}

impl OffsetNorm {
    pub(super) fn new(width: usize, device: &Device) -> Self {
        Self {
            weight: Initializer::Zeros.init([width], device),
        }
    }

    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        layer_norm(x, Some(self.weight.val() + 1.0), None, EPSILON)
    }

    /// The norm of each head for itself, the heads then side by side.
    ///
    /// # Shapes
    /// - x: `[B, T, H, D / H]`
    /// - output: `[B, T, D]`
    pub(super) fn forward_heads(&self, x: Tensor<4>) -> Tensor<3> {
        unweighted_heads(x) * (self.weight.val() + 1.0).unsqueeze::<3>()
    }
}

/// [`OffsetNorm::forward_heads`] without a weight.
pub(super) fn unweighted_heads(x: Tensor<4>) -> Tensor<3> {
    let [batch, time, heads, width] = x.dims();
    layer_norm(x, None, None, EPSILON).reshape([batch, time, heads * width])
}
