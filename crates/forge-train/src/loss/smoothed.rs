//! Label smoothing.

use burn::tensor::Tensor;

/// `(1 - ε) t + ε/C`: a part `ε` of what is known of a label is spread evenly over its `C` classes.
///
/// Szegedy et al. 2016, "Rethinking the Inception Architecture" (arXiv 1512.00567), section 7.
/// Targets `t` are probabilities of one class each, 0 and 1 for labels that are certain.
///
/// ```
/// use forge_train::loss::smoothed;
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// let certain = Tensor::<1>::from_data([0.0, 1.0], &Device::flex());
/// let data = smoothed(certain, 0.1, 2).into_data();
/// assert_eq!(data.iter::<f32>().collect::<Vec<_>>(), [0.05, 0.95]);
/// ```
///
/// # Shapes
/// - target and output: any
#[must_use]
pub fn smoothed<const D: usize>(target: Tensor<D>, part: f64, classes: usize) -> Tensor<D> {
    if part == 0.0 {
        return target;
    }
    target
        .mul_scalar(1.0 - part)
        .add_scalar(part / classes as f64)
}
