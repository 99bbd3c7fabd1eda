//! The exponential linear unit.

use burn::tensor::Tensor;

use crate::ops::{Activation, activated};

/// `x` above 0, `e^x - 1` below.
///
/// Clevert et al. 2016 (arXiv 1511.07289), equation (1) with `α = 1`. Burn's has the same values, but
/// its gradient is NaN where `e^x` overflows.
///
/// # Shapes
/// - input and output: any
#[must_use]
pub fn elu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Activation::Elu)
}
