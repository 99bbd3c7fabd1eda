//! Numbers inside programs.

use burn::tensor::DType;
use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// A constant. The one place where literals are made: their type changes between CubeCL versions.
#[cube]
pub(crate) fn number<F: Float>(#[comptime] value: f32) -> F {
    F::new(value)
}

/// A constant in every lane.
#[cube]
pub(crate) fn lanes<F: Float, N: Size>(#[comptime] value: f32) -> Vector<F, N> {
    Vector::new(F::new(value))
}

/// In which type a program computes on tensors of `dtype`: sums of half-precision numbers are
/// kept in f32.
pub(crate) fn compute_dtype(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        _ => DType::F32,
    }
}
