//! Columns from several places.

use burn::tensor::Tensor;

/// The parts beside each other; a single one as it is, which Burn would copy.
///
/// # Shapes
/// - parts: `[B, D_i]`, at least one
/// - output: `[B, Σ D_i]`
pub(super) fn beside(mut parts: Vec<Tensor<2>>) -> Tensor<2> {
    match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 1),
    }
}
