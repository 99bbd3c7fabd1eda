//! Triangular matrices of ones, for sums over the tokens up to or from one.

use burn::backend::{Backend, TensorMetadata};
use burn::tensor::TensorData;

use super::expression::Expr;

/// Which elements `[row, column]` are 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Triangle {
    /// `column < row`.
    Below,
    /// `column <= row`.
    BelowOrOn,
}

/// A matrix `[n, n]` of the type and on the device of `like`.
pub(crate) fn triangle<B: Backend>(like: &Expr<B>, which: Triangle, n: usize) -> Expr<B> {
    let values = (0..n * n).map(|i| {
        let (row, column) = (i / n, i % n);
        let one = column < row || (which == Triangle::BelowOrOn && column == row);
        f32::from(u8::from(one))
    });
    let data = TensorData::new(values.collect::<Vec<f32>>(), [n, n]);
    let data = data.convert_dtype(like.dtype());
    Expr(B::float_from_data(data, &like.0.device()))
}
