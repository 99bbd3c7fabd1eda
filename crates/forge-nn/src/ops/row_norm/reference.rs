//! The norms made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use super::RowNorm;
use crate::ops::expression::Expr;

/// `(x - mean) / sqrt(var + eps)` and `1 / sqrt(var + eps)`, with or without the mean.
fn normalised<B: Backend>(x: Expr<B>, norm: RowNorm, epsilon: f64) -> (Expr<B>, Expr<B>) {
    let last = x.rank() - 1;
    let centred = if norm.is_centred() {
        // The mean is rounded to the size of the values: of a row of equal ones it need not be
        // their value. That of differences to one of them is.
        let first = x.clone().narrow(last, 0, 1);
        let shifted = x - Expr(B::float_detach(first.0));
        shifted.clone() - shifted.mean_dim(last)
    } else {
        x
    };
    let variance = (centred.clone() * centred.clone()).mean_dim(last);
    let deviation = variance.add_scalar(epsilon).sqrt();
    let inverse = Expr(B::float_recip(deviation.0));
    (centred * inverse.clone(), inverse)
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: Option<FloatTensor<B>>,
    bias: Option<FloatTensor<B>>,
    norm: RowNorm,
    epsilon: f64,
) -> FloatTensor<B> {
    let x = Expr::<B>(x);
    if x.is_empty() {
        return x.0;
    }
    let rank = x.rank();
    let (mut y, _) = normalised(x, norm, epsilon);
    if let Some(weight) = weight {
        y = y * Expr(weight).along_last(rank);
    }
    if let Some(bias) = bias {
        y = y + Expr(bias).along_last(rank);
    }
    y.0
}

/// The gradients of `x`, weight and bias (each as if it were there).
pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: Option<FloatTensor<B>>,
    dy: FloatTensor<B>,
    norm: RowNorm,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (x, dy) = (Expr::<B>(x), Expr::<B>(dy));
    let rank = x.rank();
    if x.is_empty() {
        let width = x.shape()[rank - 1];
        let parameter = || x.zeros_like([width]).0;
        return (dy.0, parameter(), parameter());
    }
    let (normal, inverse) = normalised(x, norm, epsilon);
    let dweight = (dy.clone() * normal.clone()).sum_rows();
    let dbias = dy.clone().sum_rows();
    let dnormal = match weight {
        Some(weight) => dy * Expr(weight).along_last(rank),
        None => dy,
    };
    let along = (dnormal.clone() * normal.clone()).mean_dim(rank - 1);
    let level = norm
        .is_centred()
        .then(|| dnormal.clone().mean_dim(rank - 1));
    let mut change = dnormal - normal * along;
    if let Some(level) = level {
        change = change - level;
    }
    let dx = inverse * change;
    (dx.0, dweight.0, dbias.0)
}
