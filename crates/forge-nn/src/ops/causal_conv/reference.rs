//! The convolution as shifted tokens times taps.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// The taps from the earliest token to the present one, `[1, 1, C]` each.
fn taps<B: Backend>(weight: Expr<B>) -> Vec<Expr<B>> {
    let [channels, _, size] = weight.shape().dims();
    let taps = weight.reshape([channels, size]).transpose();
    let tap = |k| taps.clone().narrow(0, k, k + 1);
    (0..size)
        .map(|k| tap(k).reshape([1, 1, channels]))
        .collect()
}

/// `x` with `count` tokens of zeros before it.
fn after_zeros<B: Backend>(x: Expr<B>, count: usize) -> Expr<B> {
    if count == 0 {
        return x;
    }
    let [batch, _, channels] = x.shape().dims();
    let zeros = x.zeros_like([batch, count, channels]);
    Expr::cat(vec![zeros, x], 1)
}

fn sum<B: Backend>(terms: impl Iterator<Item = Expr<B>>) -> Expr<B> {
    match terms.reduce(|sum, next| sum + next) {
        Some(sum) => sum,
        None => unreachable!("a filter has a tap"),
    }
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
    let (time, size) = (x.shape()[1], weight.shape()[2]);
    let x = after_zeros(x, size - 1);
    let shifted = |(k, tap)| x.clone().narrow(1, k, k + time) * tap;
    let y = sum(taps(weight).into_iter().enumerate().map(shifted));
    match bias {
        Some(bias) => (y + Expr(bias).along_last(3)).0,
        None => y.0,
    }
}

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (x, weight, dy) = (Expr::<B>(x), Expr::<B>(weight), Expr::<B>(dy));
    let [channels, _, size] = weight.shape().dims();
    if x.is_empty() {
        let dweight = weight.zeros_like(weight.shape());
        return (dy.0, dweight.0, weight.zeros_like([channels]).0);
    }
    let [batch, time, _] = x.shape().dims();
    let seen = after_zeros(x, size - 1);
    let dtap = |k| {
        let shifted = seen.clone().narrow(1, k, k + time);
        (shifted * dy.clone()).sum_rows().reshape([channels, 1])
    };
    let dweight = Expr::cat((0..size).map(dtap).collect(), 1).reshape([channels, 1, size]);
    let dbias = dy.clone().sum_rows();
    let zeros = (size > 1).then(|| dy.zeros_like([batch, size - 1, channels]));
    let later = Expr::cat([dy].into_iter().chain(zeros).collect(), 1);
    let shifted = |(k, tap)| {
        let from = size - 1 - k;
        later.clone().narrow(1, from, from + time) * tap
    };
    let dx = sum(taps(weight).into_iter().enumerate().map(shifted));
    (dx.0, dweight.0, dbias.0)
}
