//! What half precision is too short for.

use burn::tensor::{DType, Tensor};

/// Whether it is a type of 16 bits.
pub(crate) fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::BF16)
}

/// `compute(x)`; of half precision in f32, and rounded once at the end.
///
/// # Shapes
/// - x, output: what `compute` takes and gives
pub(crate) fn in_f32<const D: usize, const E: usize>(
    x: Tensor<D>,
    compute: impl FnOnce(Tensor<D>) -> Tensor<E>,
) -> Tensor<E> {
    all_in_f32([x], |[x]| compute(x))
}

/// The same of several, of one type.
pub(crate) fn all_in_f32<const N: usize, const D: usize, const E: usize>(
    x: [Tensor<D>; N],
    compute: impl FnOnce([Tensor<D>; N]) -> Tensor<E>,
) -> Tensor<E> {
    let dtype = x[0].dtype();
    match is_half(dtype) {
        true => compute(x.map(|x| x.cast(DType::F32))).cast(dtype),
        false => compute(x),
    }
}
