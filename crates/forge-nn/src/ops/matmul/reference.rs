//! The gradients of a product made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

pub(super) fn backward<B: Backend>(
    lhs: FloatTensor<B>,
    rhs: FloatTensor<B>,
    dy: FloatTensor<B>,
    needs_lhs: bool,
    needs_rhs: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (lhs, rhs, dy) = (Expr::<B>(lhs), Expr::<B>(rhs), Expr::<B>(dy));
    let dlhs = match needs_lhs {
        true => dy.clone().matmul(rhs.clone().transpose()),
        false => lhs.clone(),
    };
    let drhs = match needs_rhs {
        true => lhs.transpose().matmul(dy),
        false => rhs,
    };
    (dlhs.0, drhs.0)
}
