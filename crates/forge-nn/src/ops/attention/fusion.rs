//! Shapes of outputs, for Burn's fusion to plan with.

use burn::backend::fusion::custom::TensorSpec;

use super::PackedHeads;
use crate::ops::compute_dtype::compute_dtype;
use crate::ops::optional::OptionalFloatMetadata;

/// `[B, H, Tq, Dv]`.
pub(super) fn output(q: &TensorSpec, v: &TensorSpec) -> TensorSpec {
    let shape = [q.shape[0], q.shape[1], q.shape[2], v.shape[3]];
    TensorSpec::new(shape.into(), q.dtype)
}

/// `[B, H, Tq, 2]`.
pub(super) fn statistics(q: &TensorSpec) -> TensorSpec {
    let shape = [q.shape[0], q.shape[1], q.shape[2], 2];
    TensorSpec::new(shape.into(), compute_dtype(q.dtype))
}

/// The gradient of the bias.
pub(super) fn bias(q: &TensorSpec, bias: &OptionalFloatMetadata) -> TensorSpec {
    match bias {
        OptionalFloatMetadata::Present(bias) => bias.clone(),
        OptionalFloatMetadata::Absent => TensorSpec::new([1, 1, 1].into(), q.dtype),
    }
}

/// `[B, T, H D]`.
pub(super) fn packed_output(qkv: &TensorSpec, heads: &PackedHeads) -> TensorSpec {
    let width = qkv.shape[2] / (heads.heads + 2 * heads.groups);
    let shape = [qkv.shape[0], qkv.shape[1], heads.heads * width];
    TensorSpec::new(shape.into(), qkv.dtype)
}

/// `[B, H, T, 2]`.
pub(super) fn packed_statistics(qkv: &TensorSpec, heads: &PackedHeads) -> TensorSpec {
    let shape = [qkv.shape[0], heads.heads, qkv.shape[1], 2];
    TensorSpec::new(shape.into(), compute_dtype(qkv.dtype))
}
