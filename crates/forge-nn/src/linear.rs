//! Burn's `Linear` through our operation.

use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::ops::{self, LinearActivation};

/// `x W + b`: what `layer.forward(x)` computes, by [`ops::linear`].
///
/// # Shapes
/// - x: `[.., D_in]`
/// - output: `[.., D_out]`
///
/// # Panics
/// If the last axis is not the layer's input width.
pub fn apply_linear<const D: usize>(layer: &Linear, x: Tensor<D>) -> Tensor<D> {
    apply_linear_activation(layer, x, LinearActivation::Identity)
}

/// `activation(x W + b)`, by [`ops::linear_activation`].
///
/// # Shapes
/// - x: `[.., D_in]`
/// - output: `[.., D_out]`
///
/// # Panics
/// If the last axis is not the layer's input width.
pub fn apply_linear_activation<const D: usize>(
    layer: &Linear,
    x: Tensor<D>,
    activation: LinearActivation,
) -> Tensor<D> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    ops::linear_activation(x, layer.weight.val(), bias, activation)
}
