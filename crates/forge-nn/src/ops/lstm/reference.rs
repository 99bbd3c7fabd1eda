//! The recurrence made of Burn's operations, step by step.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;

/// What a step leaves, each `[B, D]`.
struct Step<B: Backend> {
    /// i, f, g, o after their activations.
    gates: [Expr<B>; 4],
    c: Expr<B>,
    h: Expr<B>,
}

/// Step `t` of `[B, T, W]`.
fn at<B: Backend>(x: &Expr<B>, t: usize) -> Expr<B> {
    let [batch, _, width] = x.shape().dims();
    x.clone().narrow(1, t, t + 1).reshape([batch, width])
}

fn step<B: Backend>(raw: &Expr<B>, c: Expr<B>) -> Step<B> {
    let [_, width] = raw.shape().dims();
    let d = width / 4;
    let part = |k: usize| raw.clone().narrow(1, k * d, (k + 1) * d);
    let (i, f) = (part(0).sigmoid(), part(1).sigmoid());
    let (g, o) = (part(2).tanh(), part(3).sigmoid());
    let c = f.clone() * c + i.clone() * g.clone();
    let h = o.clone() * c.clone().tanh();
    Step {
        gates: [i, f, g, o],
        c,
        h,
    }
}

fn steps<B: Backend>(
    gates: &Expr<B>,
    recurrent: &Expr<B>,
    hidden: Expr<B>,
    cell: Expr<B>,
) -> Vec<Step<B>> {
    let [_, time, _] = gates.shape().dims();
    let (mut h, mut c) = (hidden, cell);
    let mut steps = vec![];
    for t in 0..time {
        let raw = at(gates, t) + h.matmul(recurrent.clone());
        let next = step(&raw, c);
        (h, c) = (next.h.clone(), next.c.clone());
        steps.push(next);
    }
    steps
}

pub(super) fn forward<B: Backend>(
    gates: FloatTensor<B>,
    recurrent: FloatTensor<B>,
    hidden: FloatTensor<B>,
    cell: FloatTensor<B>,
) -> FloatTensor<B> {
    let [gates, recurrent, hidden, cell] = [gates, recurrent, hidden, cell].map(Expr::<B>);
    let [batch, time, width] = gates.shape().dims();
    let d = width / 4;
    if batch * width == 0 {
        return gates.zeros_like([batch, time + 1, d]).0;
    }
    let steps = steps(&gates, &recurrent, hidden, cell.clone());
    let last = steps.last().map_or(cell, |step| step.c.clone());
    let mut outputs: Vec<Expr<B>> = steps
        .into_iter()
        .map(|step| step.h.reshape([batch, 1, d]))
        .collect();
    outputs.push(last.reshape([batch, 1, d]));
    Expr::cat(outputs, 1).0
}

#[allow(clippy::type_complexity)]
pub(super) fn backward<B: Backend>(
    gates: FloatTensor<B>,
    recurrent: FloatTensor<B>,
    hidden: FloatTensor<B>,
    cell: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let [gates, recurrent, hidden, cell, dy] = [gates, recurrent, hidden, cell, dy].map(Expr::<B>);
    let [batch, time, width] = gates.shape().dims();
    let mut drecurrent = recurrent.zeros_like(recurrent.shape());
    let mut dh = hidden.zeros_like(hidden.shape());
    if batch * width == 0 {
        let (dgates, dcell) = (gates.zeros_like(gates.shape()), dh.clone());
        return (dgates.0, drecurrent.0, dh.0, dcell.0);
    }
    let steps = steps(&gates, &recurrent, hidden.clone(), cell.clone());
    let mut dc = at(&dy, time);
    let mut dgates = vec![];
    let one_minus = |x: &Expr<B>| (-x.clone()).add_scalar(1.0);
    for t in (0..time).rev() {
        let Step {
            gates: [i, f, g, o],
            c,
            ..
        } = &steps[t];
        let (h_before, c_before) = match t {
            0 => (&hidden, &cell),
            t => (&steps[t - 1].h, &steps[t - 1].c),
        };
        dh = dh + at(&dy, t);
        let shown = c.clone().tanh();
        let d_o = dh.clone() * shown.clone() * o.clone() * one_minus(o);
        dc = dc + dh * o.clone() * one_minus(&(shown.clone() * shown));
        let di = dc.clone() * g.clone() * i.clone() * one_minus(i);
        let dg = dc.clone() * i.clone() * one_minus(&(g.clone() * g.clone()));
        let df = dc.clone() * c_before.clone() * f.clone() * one_minus(f);
        let raw = Expr::cat(vec![di, df, dg, d_o], 1);
        drecurrent = drecurrent + h_before.clone().transpose().matmul(raw.clone());
        dh = raw.clone().matmul(recurrent.clone().transpose());
        dc = dc * f.clone();
        dgates.push(raw.reshape([batch, 1, width]));
    }
    dgates.reverse();
    let dgates = match dgates.is_empty() {
        true => gates.zeros_like(gates.shape()),
        false => Expr::cat(dgates, 1),
    };
    (dgates.0, drecurrent.0, dh.0, dc.0)
}
