//! Mish.

use burn::tensor::Tensor;

use crate::ops::{Activation, activated};

/// `x tanh(log(1 + e^x))`.
///
/// Misra 2019 (arXiv 1908.08681), equation (1).
///
/// # Shapes
/// - input and output: any
#[must_use]
pub fn mish<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Activation::Mish)
}
