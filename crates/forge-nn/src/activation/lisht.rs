//! LiSHT.

use burn::tensor::Tensor;

/// LiSHT: `x · tanh(x)`, even and never negative.
///
/// Roy et al., "LiSHT", arXiv 1901.05894, equation (4).
///
/// # Shapes
/// - input and output: `[..]`
pub fn lisht<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * x.tanh()
}
