//! Squared ReLU.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// `relu(x)²`.
///
/// So et al., "Primer", arXiv 2109.08668, section 3.
///
/// # Shapes
/// - input and output: `[..]`
pub fn squared_relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    relu(x).square()
}
