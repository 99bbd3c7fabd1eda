//! Which type the CubeCL programs keep sums in: their launches and the shapes that fusion plans with
//! must agree.

use burn::tensor::DType;

/// In which type a program computes on tensors of `dtype`: sums of half-precision numbers are
/// kept in f32.
pub(crate) fn compute_dtype(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        _ => DType::F32,
    }
}
