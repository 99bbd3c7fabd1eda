//! The running maximum made of Burn's operations, in doubling strides.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// `[…, T]` as rows.
fn rows<B: Backend>(x: FloatTensor<B>) -> Expr<B> {
    Expr::<B>(x).rows()
}

pub(super) fn forward<B: Backend>(decay: FloatTensor<B>, x: FloatTensor<B>) -> FloatTensor<B> {
    let shape = Expr::<B>(x.clone()).shape();
    if shape.contains(&0) {
        return x;
    }
    let (mut decay, mut m) = (rows::<B>(decay), rows::<B>(x));
    let time = m.shape()[1];
    let mut stride = 1;
    while stride < time {
        let later = decay.clone().narrow(1, stride, time);
        let earlier = m.clone().narrow(1, 0, time - stride);
        let moved = (earlier + later.clone()).larger(m.clone().narrow(1, stride, time));
        m = Expr::cat(vec![m.narrow(1, 0, stride), moved], 1);
        let joined = later + decay.clone().narrow(1, 0, time - stride);
        decay = Expr::cat(vec![decay.narrow(1, 0, stride), joined], 1);
        stride *= 2;
    }
    m.reshape(shape).0
}

pub(super) fn backward<B: Backend>(
    decay: FloatTensor<B>,
    x: FloatTensor<B>,
    m: FloatTensor<B>,
    dm: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shape = Expr::<B>(x.clone()).shape();
    if shape.contains(&0) {
        return (decay, x);
    }
    let (decay, x, m) = (rows::<B>(decay), rows::<B>(x), rows::<B>(m));
    let [count, time] = x.shape().dims();
    let first = x.zeros_like([count, 1]);
    // 1 where the maximum came from before.
    let kept = match time {
        1 => first.clone(),
        _ => {
            let before = m.narrow(1, 0, time - 1) + decay.narrow(1, 1, time);
            let kept = before.greater_than(x.narrow(1, 1, time));
            Expr::cat(vec![first.clone(), kept], 1)
        }
    };
    // g_t = dm_t + kept_{t+1} g_{t+1}, in doubling strides from the end.
    let mut passed = match time {
        1 => first,
        _ => Expr::cat(vec![kept.clone().narrow(1, 1, time), first], 1),
    };
    let mut g = rows::<B>(dm);
    let mut stride = 1;
    while stride < time {
        let earlier = passed.clone().narrow(1, 0, time - stride);
        let moved = g.clone().narrow(1, 0, time - stride)
            + earlier.clone() * g.clone().narrow(1, stride, time);
        g = Expr::cat(vec![moved, g.narrow(1, time - stride, time)], 1);
        let joined = earlier * passed.clone().narrow(1, stride, time);
        let rest = passed.narrow(1, time - stride, time);
        passed = Expr::cat(vec![joined, rest], 1);
        stride *= 2;
    }
    let ddecay = kept * g.clone();
    let dx = g - ddecay.clone();
    (ddecay.reshape(shape.clone()).0, dx.reshape(shape).0)
}
