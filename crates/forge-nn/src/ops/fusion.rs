//! Shapes of outputs, for Burn's fusion to plan with.

use burn::backend::fusion::custom::TensorSpec;

/// `[D]` of `[…, D]`.
pub(crate) fn last_axis(x: &TensorSpec) -> TensorSpec {
    let width = x.shape[x.shape.num_dims() - 1];
    TensorSpec::new([width].into(), x.dtype)
}
