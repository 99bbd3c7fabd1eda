//! RMSNorm made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// `x / sqrt(mean(x²) + eps)` and `1 / sqrt(mean(x²) + eps)`.
fn normalised<B: Backend>(x: Expr<B>, epsilon: f64) -> (Expr<B>, Expr<B>) {
    let last = x.rank() - 1;
    let square = (x.clone() * x.clone()).mean_dim(last);
    let inverse = Expr(B::float_recip(square.add_scalar(epsilon).sqrt().0));
    (x * inverse.clone(), inverse)
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: Option<FloatTensor<B>>,
    epsilon: f64,
) -> FloatTensor<B> {
    let x = Expr::<B>(x);
    let rank = x.rank();
    let (mut y, _) = normalised(x, epsilon);
    if let Some(weight) = weight {
        y = y * Expr(weight).along_last(rank);
    }
    y.0
}

/// The gradients of `x` and weight (each as if it were there).
pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: Option<FloatTensor<B>>,
    dy: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (x, dy) = (Expr::<B>(x), Expr::<B>(dy));
    let rank = x.rank();
    let (normal, inverse) = normalised(x, epsilon);
    let dweight = (dy.clone() * normal.clone()).sum_rows();
    let dnormal = match weight {
        Some(weight) => dy * Expr(weight).along_last(rank),
        None => dy,
    };
    let along = (dnormal.clone() * normal.clone()).mean_dim(rank - 1);
    let dx = inverse * (dnormal - normal * along);
    (dx.0, dweight.0)
}
