//! The products number by number of a block: each times a row or a column of all blocks.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// The terms of `Σ_i x_i m_i`, with `x` as `[R, G, K]` and `m` as what `of` takes from the weights for number
/// `i` of a block, `[1, G, K]`.
fn weighted<B: Backend>(x: Expr<B>, of: impl Fn(usize) -> Expr<B>) -> Expr<B> {
    let size = x.shape()[2];
    let term = |i| x.clone().narrow(2, i, i + 1) * of(i);
    (1..size).fold(term(0), |sum, i| sum + term(i))
}

/// `[R, G, K]`.
fn blocks<B: Backend>(x: Expr<B>, weight: &Expr<B>) -> Expr<B> {
    let [groups, size, _] = weight.shape().dims();
    let rows = x.shape().num_elements() / (groups * size);
    x.reshape([rows, groups, size])
}

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
) -> FloatTensor<B> {
    let (x, weight) = (Expr::<B>(x), Expr::<B>(weight));
    if x.is_empty() {
        return x.0;
    }
    let (shape, [groups, size, _]) = (x.shape(), weight.shape().dims());
    let column = |i| {
        weight
            .clone()
            .narrow(2, i, i + 1)
            .reshape([1, groups, size])
    };
    let y = weighted(blocks(x, &weight), column).reshape(shape.clone());
    match bias {
        Some(bias) => (y + Expr(bias).along_last(shape.num_dims())).0,
        None => y.0,
    }
}

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (x, weight, dy) = (Expr::<B>(x), Expr::<B>(weight), Expr::<B>(dy));
    let (shape, [groups, size, _]) = (x.shape(), weight.shape().dims());
    if x.is_empty() {
        let dweight = weight.zeros_like(weight.shape());
        let dbias = weight.zeros_like([groups * size]);
        return (x.zeros_like(shape).0, dweight.0, dbias.0);
    }
    let dbias = dy.clone().sum_rows();
    let (x, dy) = (blocks(x, &weight), blocks(dy, &weight));
    let row = |j| {
        weight
            .clone()
            .narrow(1, j, j + 1)
            .reshape([1, groups, size])
    };
    let dx = weighted(dy.clone(), row).reshape(shape);
    let column = |i| {
        let of_input = dy.clone() * x.clone().narrow(2, i, i + 1);
        of_input.sum_dim(0).reshape([groups, size, 1])
    };
    let dweight = Expr::cat((0..size).map(column).collect(), 2);
    (dx.0, dweight.0, dbias.0)
}
