//! The norms made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// More rows than this are summed in pieces.
const MANY: usize = 1_024;

/// The mean over the rows of `[G, R, C]`, kept with length 1. Many rows are cut into pieces that
/// become an axis of their own, so that a sum over all is two short ones: a GPU has one unit per channel
/// for it otherwise.
fn mean_rows<B: Backend>(x: Expr<B>) -> Expr<B> {
    let [groups, rows, width] = x.shape().dims();
    match pieces(rows) {
        1 => x.mean_dim(1),
        pieces => x
            .reshape([groups, pieces, rows / pieces, width])
            .mean_dim(2)
            .mean_dim(1)
            .reshape([groups, 1, width]),
    }
}

/// Into how many equal pieces rows are cut: about the square root of their number, where they are many
/// and can be divided.
fn pieces(rows: usize) -> usize {
    if rows < MANY {
        return 1;
    }
    let divides = |n: &usize| rows.is_multiple_of(*n);
    (1..=rows.isqrt()).rev().find(divides).unwrap_or(1)
}

/// `x - mean`, the mean `[G, 1, C]`, and the variance.
fn centred<B: Backend>(x: Expr<B>) -> (Expr<B>, Expr<B>, Expr<B>) {
    // As in the norms of rows: the mean of equal values need not be their value.
    let origin = Expr(B::float_detach(x.clone().narrow(1, 0, 1).0));
    let shifted = x - origin.clone();
    let mean = mean_rows(shifted.clone());
    let centred = shifted - mean.clone();
    let var = mean_rows(centred.clone() * centred.clone());
    (centred, mean + origin, var)
}

fn inverse<B: Backend>(var: Expr<B>, epsilon: f64) -> Expr<B> {
    Expr(B::float_recip(var.add_scalar(epsilon).sqrt().0))
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let x = Expr::<B>(x);
    let [groups, _, width] = x.shape().dims();
    if x.is_empty() {
        let none = || x.zeros_like([groups, width]).0;
        let (mean, var) = (none(), none());
        return (x.0, mean, var);
    }
    let (centred, mean, var) = centred(x);
    let normal = centred * inverse(var.clone(), epsilon);
    let y = normal * Expr(weight).along_last(3) + Expr(bias).along_last(3);
    let flat = |statistic: Expr<B>| statistic.reshape([groups, width]).0;
    (y.0, flat(mean), flat(var))
}

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (x, dy) = (Expr::<B>(x), Expr::<B>(dy));
    if x.is_empty() {
        let parameter = || Expr::<B>(weight.clone()).zeros_like([x.shape()[2]]).0;
        return (dy.0, parameter(), parameter());
    }
    let (centred, _, var) = centred(x);
    let inverse = inverse(var, epsilon);
    let normal = centred * inverse.clone();
    let dweight = (dy.clone() * normal.clone()).sum_rows();
    let dbias = dy.clone().sum_rows();
    let dnormal = dy * Expr(weight).along_last(3);
    let along = mean_rows(dnormal.clone() * normal.clone());
    let level = mean_rows(dnormal.clone());
    let dx = inverse * (dnormal - level - normal * along);
    (dx.0, dweight.0, dbias.0)
}
