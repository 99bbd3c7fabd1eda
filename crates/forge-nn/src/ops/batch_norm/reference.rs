//! The norms made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// More rows than this are summed in pieces.
const MANY: usize = 1_024;

/// `[G, R, C]`, the means over the positions of `[G, R, C, S]`.
fn mean_positions<B: Backend>(x: Expr<B>) -> Expr<B> {
    let [groups, rows, width, positions] = x.shape().dims();
    let x = match positions {
        1 => x,
        _ => x.mean_dim(3),
    };
    x.reshape([groups, rows, width])
}

/// The mean over rows and positions, `[G, 1, C, 1]`. Many rows are cut into pieces that become an axis of
/// their own, so that a sum over all is two short ones: a GPU has one unit per channel for it otherwise.
fn mean<B: Backend>(x: Expr<B>) -> Expr<B> {
    let [groups, rows, width, _] = x.shape().dims();
    let x = mean_positions(x);
    let mean = match pieces(rows) {
        1 => x.mean_dim(1),
        pieces => x
            .reshape([groups, pieces, rows / pieces, width])
            .mean_dim(2)
            .mean_dim(1),
    };
    mean.reshape([groups, 1, width, 1])
}

/// The sum over all but the channels, `[C]`.
fn sum_channels<B: Backend>(x: Expr<B>) -> Expr<B> {
    let positions = x.shape()[3];
    mean_positions(x).sum_rows().mul_scalar(positions as f64)
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

/// `x - mean`, the mean `[G, 1, C, 1]`, and the variance.
fn centred<B: Backend>(x: Expr<B>) -> (Expr<B>, Expr<B>, Expr<B>) {
    // As in the norms of rows: the mean of equal values need not be their value.
    let origin = Expr(B::float_detach(x.clone().narrow(1, 0, 1).narrow(3, 0, 1).0));
    let shifted = x - origin.clone();
    let level = mean(shifted.clone());
    let centred = shifted - level.clone();
    let var = mean(centred.clone() * centred.clone());
    (centred, level + origin, var)
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
    let [groups, _, width, _] = x.shape().dims();
    if x.is_empty() {
        let none = || x.zeros_like([groups, width]).0;
        let (mean, var) = (none(), none());
        return (x.0, mean, var);
    }
    let (centred, mean, var) = centred(x);
    let normal = centred * inverse(var.clone(), epsilon);
    let along = |of: FloatTensor<B>| Expr::<B>(of).reshape([1, 1, width, 1]);
    let y = normal * along(weight) + along(bias);
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
        return (x.zeros_like(x.shape()).0, parameter(), parameter());
    }
    let (centred, _, var) = centred(x);
    let inverse = inverse(var, epsilon);
    let normal = centred * inverse.clone();
    let dweight = sum_channels(dy.clone() * normal.clone());
    let dbias = sum_channels(dy.clone());
    let width = dy.shape()[2];
    let dnormal = dy * Expr(weight).reshape([1, 1, width, 1]);
    let along = mean(dnormal.clone() * normal.clone());
    let level = mean(dnormal.clone());
    let dx = inverse * (dnormal - level - normal * along);
    (dx.0, dweight.0, dbias.0)
}
