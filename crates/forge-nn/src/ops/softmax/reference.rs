//! Softmax made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

pub(super) fn forward<B: Backend>(x: FloatTensor<B>, dim: usize) -> FloatTensor<B> {
    let x = Expr::<B>(x);
    if x.is_empty() {
        return x.0;
    }
    let terms = (x.clone() - x.constant_max_dim(dim)).exp();
    let sum = terms.clone().sum_dim(dim);
    (terms / sum).0
}

/// From the softmax's output `y`: `dx = y (dy - Σ y dy)`.
pub(super) fn backward<B: Backend>(
    y: FloatTensor<B>,
    dy: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let (y, dy) = (Expr::<B>(y), Expr::<B>(dy));
    if y.is_empty() {
        return dy.0;
    }
    let mean = (y.clone() * dy.clone()).sum_dim(dim);
    (y * (dy - mean)).0
}
