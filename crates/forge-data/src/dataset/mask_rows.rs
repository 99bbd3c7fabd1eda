//! Rows of a mask.

use burn::tensor::{Bool, DType, Int, Tensor};

/// The rows of `mask` at `rows`, as `mask.select(0, rows)` has them on other devices: Burn 0.22's flex
/// backend gives what it selects of booleans the type of bytes, which operations on booleans refuse.
///
/// # Shapes
/// - mask: `[N, C]`, rows: `[B]`
/// - output: `[B, C]`
///
/// # Panics
/// If a row is not there.
pub(crate) fn mask_rows(mask: Tensor<2, Bool>, rows: Tensor<1, Int>) -> Tensor<2, Bool> {
    let device = mask.device();
    let chosen = mask.select(0, rows);
    match chosen.dtype() {
        DType::Bool(_) => chosen,
        _ => Tensor::from_data(chosen.into_data().convert::<bool>(), &device),
    }
}
