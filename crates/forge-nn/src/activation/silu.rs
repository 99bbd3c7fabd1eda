//! SiLU.

use burn::tensor::Tensor;

use crate::ops::{Activation, activated};

/// SiLU, or Swish with beta = 1: `x σ(x)`.
///
/// Elfwing et al., "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
/// Reinforcement Learning", arXiv 1702.03118, equation (2).
///
/// # Shapes
/// - input and output: `[..]`
///
/// ```
/// use forge_nn::activation::silu;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// let y = silu(Tensor::<1>::from_data([-1.0, 0.0, 2.0], &Device::flex()));
/// let y = y.into_data().to_vec::<f32>()?;
/// assert!((y[0] + 0.268_941).abs() < 1e-5 && y[1] == 0.0 && (y[2] - 1.761_594).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Activation::Silu)
}
