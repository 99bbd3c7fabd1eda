//! Dropout and residual made of Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};

use crate::ops::dropout_mask::DropoutMask;
use crate::ops::expression::Expr;

pub(super) fn dropped<B: Backend>(
    x: FloatTensor<B>,
    probability: f64,
    seed: u64,
) -> FloatTensor<B> {
    if probability == 0.0 || x.shape().contains(&0) {
        return x;
    }
    let multipliers = DropoutMask::new(seed, probability).multipliers::<B>(&x);
    (Expr::<B>(x) * Expr(multipliers)).0
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    residual: FloatTensor<B>,
    probability: f64,
    seed: u64,
) -> FloatTensor<B> {
    (Expr::<B>(residual) + Expr(dropped::<B>(x, probability, seed))).0
}
