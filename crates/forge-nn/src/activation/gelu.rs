//! GELU.

use burn::tensor::Tensor;

use crate::ops::{Activation, activated};

/// GELU: `x Φ(x)` with the normal distribution's `Φ(x) = (1 + erf(x / √2)) / 2`, exact in value and
/// gradient on every device. On `flex` in f32, from `|x| = 4 √2` on it is 0 or `x` and its gradient
/// exactly 0 or 1.
///
/// Burn 0.22's own has the gradient of its tanh approximation on all backends but `flex`, off by up
/// to 1e-3.
///
/// Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415, equation (1).
///
/// # Shapes
/// - input and output: `[..]`
///
/// ```
/// use forge_nn::activation::gelu;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// let y = gelu(Tensor::<1>::from_data([-1.0, 0.0, 2.0], &Device::flex()));
/// let y = y.into_data().to_vec::<f32>()?;
/// assert!((y[0] + 0.158_655).abs() < 1e-5 && y[1] == 0.0 && (y[2] - 1.954_5).abs() < 1e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Activation::Gelu)
}

/// The tanh approximation of [`gelu`]: `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, at most 5e-4 from
/// it. For weights that were trained with it.
///
/// Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415, section 2.
///
/// # Shapes
/// - input and output: `[..]`
#[must_use]
pub fn gelu_approximate<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Activation::GeluTanh)
}
