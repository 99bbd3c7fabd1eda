//! One element type for all inputs of an operation.

use burn::tensor::DType;

/// Refuses inputs of different element types. The programs for CubeCL devices read every buffer as
/// the type of the first and do not look: one of narrower elements would be read past its end.
///
/// # Panics
/// If one of `tensors` (name and type; absent ones are left out) differs from the first.
pub(crate) fn assert_same_dtype(operation: &str, tensors: &[(&str, Option<DType>)]) {
    let mut given = tensors
        .iter()
        .filter_map(|(name, dtype)| dtype.map(|dtype| (name, dtype)));
    let Some((first, expected)) = given.next() else {
        return;
    };
    for (name, dtype) in given {
        assert!(
            dtype == expected,
            "{operation}: {name} is {dtype:?} and {first} {expected:?}; cast one of them"
        );
    }
}
