//! Cosines and sines made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

pub(super) fn forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = Expr::<B>(x);
    let last = x.rank() - 1;
    if x.is_empty() {
        let mut shape = x.shape();
        shape[last] *= 2;
        return x.zeros_like(shape).0;
    }
    Expr::cat(vec![x.clone().cos(), x.sin()], last).0
}

/// `dx = cos x · dy_sin - sin x · dy_cos`.
pub(super) fn backward<B: Backend>(y: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    let (y, dy) = (Expr::<B>(y), Expr::<B>(dy));
    let mut shape = y.shape();
    let last = shape.num_dims() - 1;
    let width = shape[last] / 2;
    if y.is_empty() {
        shape[last] = width;
        return y.zeros_like(shape).0;
    }
    let cosines = |x: &Expr<B>| x.clone().narrow(last, 0, width);
    let sines = |x: &Expr<B>| x.clone().narrow(last, width, 2 * width);
    (cosines(&y) * sines(&dy) - sines(&y) * cosines(&dy)).0
}
