//! The four outputs of evidential regression.

use burn::tensor::Tensor;

use super::outputs::softplus;
use super::view;
use crate::distribution::NormalInverseGamma;
use crate::loss::{Evidence, softplus as tensor_softplus};

/// The least evidence for a mean: below, its variance would be infinite.
const NU_FLOOR: f64 = 1e-4;

/// The least `α`: at 1 the variance is infinite, here the degrees of freedom are 2.01.
const ALPHA_FLOOR: f64 = 1.005;

/// The least `β`, as the smallest scale of the other families has it.
const BETA_FLOOR: f64 = 1e-8;

/// Outputs `[B, S, 4]` as evidence `[B, S]`.
pub(super) fn evidence(y: &Tensor<3>) -> Evidence<2> {
    let positive = |at, floor| tensor_softplus(view::output(y, at)).add_scalar(floor);
    Evidence {
        mean: view::output(y, 0),
        nu: positive(1, NU_FLOOR),
        alpha: positive(2, ALPHA_FLOOR),
        beta: positive(3, BETA_FLOOR),
    }
}

/// What the four outputs of a target say, in f64 on the host; on the model's scale.
pub(super) fn said(y: &[f64]) -> NormalInverseGamma {
    NormalInverseGamma {
        mean: y[0],
        nu: softplus(y[1]) + NU_FLOOR,
        spare: softplus(y[2]) + (ALPHA_FLOOR - 1.0),
        beta: softplus(y[3]) + BETA_FLOOR,
    }
}
