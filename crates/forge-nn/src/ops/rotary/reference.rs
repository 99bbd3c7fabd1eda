//! The rotation made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use super::RotaryLayout;
use crate::ops::expression::Expr;

pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    cos: FloatTensor<B>,
    sin: FloatTensor<B>,
    layout: RotaryLayout,
) -> FloatTensor<B> {
    let (x, cos, sin) = (Expr::<B>(x), Expr::<B>(cos), Expr::<B>(sin));
    let [time, pairs] = cos.shape().dims();
    if x.is_empty() || pairs == 0 {
        return x.0;
    }
    let width = x.shape()[3];
    let rest = (width > 2 * pairs).then(|| x.clone().narrow(3, 2 * pairs, width));
    let [a, b] = sides(x, pairs, layout);
    let [cos, sin] = [cos, sin].map(|table| table.reshape([1, 1, time, pairs]));
    let first = a.clone() * cos.clone() - b.clone() * sin.clone();
    let second = b * cos + a * sin;
    let turned = match layout {
        RotaryLayout::HalfSplit => Expr::cat(vec![first, second], 3),
        RotaryLayout::Interleaved => {
            let [batch, heads, ..] = first.shape().dims::<4>();
            let apart = [first, second].map(|side| side.reshape([batch, heads, time, pairs, 1]));
            Expr::cat(apart.into(), 4).reshape([batch, heads, time, 2 * pairs])
        }
    };
    match rest {
        Some(rest) => Expr::cat(vec![turned, rest], 3).0,
        None => turned.0,
    }
}

/// The gradients of `cos` and `sin`.
pub(super) fn table_gradients<B: Backend>(
    x: FloatTensor<B>,
    pairs: usize,
    dy: FloatTensor<B>,
    layout: RotaryLayout,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let x = Expr::<B>(x);
    let time = x.shape()[2];
    if x.is_empty() || pairs == 0 {
        let nothing = || x.zeros_like([time, pairs]).0;
        return (nothing(), nothing());
    }
    let [a, b] = sides(x, pairs, layout);
    let [da, db] = sides(Expr::<B>(dy), pairs, layout);
    let sum = |x: Expr<B>| x.sum_dim(0).sum_dim(1).reshape([time, pairs]).0;
    (
        sum(da.clone() * a.clone() + db.clone() * b.clone()),
        sum(db * a - da * b),
    )
}

/// First and second features of the pairs, `[B, H, T, n/2]` each.
fn sides<B: Backend>(x: Expr<B>, pairs: usize, layout: RotaryLayout) -> [Expr<B>; 2] {
    match layout {
        RotaryLayout::HalfSplit => [0, 1].map(|side| {
            let from = side * pairs;
            x.clone().narrow(3, from, from + pairs)
        }),
        RotaryLayout::Interleaved => {
            let [batch, heads, time, _] = x.shape().dims();
            let shape = [batch, heads, time, pairs];
            let x = x
                .narrow(3, 0, 2 * pairs)
                .reshape([batch, heads, time, pairs, 2]);
            [0, 1].map(|side| x.clone().narrow(4, side, side + 1).reshape(shape))
        }
    }
}
