//! The recurrence made of Burn's operations, token by token.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use super::MEMORY;
use crate::ops::expression::Expr;

/// What a step leaves, each `[H, B, D]`.
#[derive(Clone)]
struct State<B: Backend> {
    h: Expr<B>,
    c: Expr<B>,
    n: Expr<B>,
    m: Expr<B>,
}

/// The gates of a step.
struct Gates<B: Backend> {
    i: Expr<B>,
    f: Expr<B>,
    z: Expr<B>,
    o: Expr<B>,
    /// `σ(-f̃)`: the slope of `log σ(f̃)`.
    f_slope: Expr<B>,
}

fn part<B: Backend>(x: &Expr<B>, k: usize) -> Expr<B> {
    let [.., width] = x.shape().dims::<3>();
    let width = width / 4;
    x.clone().narrow(2, k * width, (k + 1) * width)
}

/// Token `t` of `[H, B, T, W]`.
fn at<B: Backend>(x: &Expr<B>, t: usize) -> Expr<B> {
    let [heads, batch, _, width] = x.shape().dims();
    let token = x.clone().narrow(2, t, t + 1);
    token.reshape([heads, batch, width])
}

/// `log σ(x) = min(x, 0) - log(1 + e^-|x|)`.
fn log_sigmoid<B: Backend>(x: Expr<B>) -> Expr<B> {
    let below = -(-x.clone()).relu();
    let size = x.clone().relu() + (-x).relu();
    below - (-size).exp().add_scalar(1.0).log()
}

/// The rows of a state `[H, B, 4, D]`.
fn state_of<B: Backend>(state: FloatTensor<B>) -> State<B> {
    let state = Expr::<B>(state);
    State {
        h: at(&state, 0),
        c: at(&state, 1),
        n: at(&state, 2),
        m: at(&state, 3),
    }
}

fn step<B: Backend>(
    gates: Expr<B>,
    recurrent: &Expr<B>,
    before: &State<B>,
) -> (Gates<B>, State<B>) {
    let raw = gates + before.h.clone().matmul(recurrent.clone());
    let (i, f) = (part(&raw, 0), part(&raw, 1));
    let (z, o) = (part(&raw, 2).tanh(), part(&raw, 3).sigmoid());
    let f_slope = (-f.clone()).sigmoid();
    let log = log_sigmoid(f) + before.m.clone();
    let m = Expr::<B>(B::float_detach(log.clone().larger(i.clone()).0));
    let (i, f) = ((i - m.clone()).exp(), (log - m.clone()).exp());
    let c = f.clone() * before.c.clone() + i.clone() * z.clone();
    let n = f.clone() * before.n.clone() + i.clone();
    let h = o.clone() * c.clone() / n.clone();
    let state = State { h, c, n, m };
    let gates = Gates {
        i,
        f,
        z,
        o,
        f_slope,
    };
    (gates, state)
}

pub(super) fn forward<B: Backend>(
    gates: FloatTensor<B>,
    recurrent: FloatTensor<B>,
    state: FloatTensor<B>,
) -> FloatTensor<B> {
    let (gates, recurrent, start) = (Expr::<B>(gates), Expr::<B>(recurrent), Expr::<B>(state));
    let [heads, batch, time, width] = gates.shape().dims();
    if start.is_empty() {
        return gates.zeros_like([heads, batch, time + MEMORY, width / 4]).0;
    }
    if time == 0 {
        return start.narrow(2, 1, 1 + MEMORY).0;
    }
    let mut state = state_of(start.0);
    let row = |x: Expr<B>| x.reshape([heads, batch, 1, width / 4]);
    let mut outputs = vec![];
    for t in 0..time {
        (_, state) = step(at(&gates, t), &recurrent, &state);
        outputs.push(row(state.h.clone()));
    }
    outputs.extend([state.c, state.n, state.m].map(row));
    Expr::cat(outputs, 2).0
}

pub(super) fn backward<B: Backend>(
    gates: FloatTensor<B>,
    recurrent: FloatTensor<B>,
    state: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (gates, recurrent, dy) = (Expr::<B>(gates), Expr::<B>(recurrent), Expr::<B>(dy));
    let [heads, batch, time, width] = gates.shape().dims();
    let start = Expr::<B>(state);
    let mut drecurrent = recurrent.zeros_like(recurrent.shape());
    if start.is_empty() {
        let dstate = start.zeros_like(start.shape());
        return (gates.zeros_like(gates.shape()).0, drecurrent.0, dstate.0);
    }
    let zeros = dy.zeros_like([heads, batch, width / 4]);
    let row = |x: Expr<B>| x.reshape([heads, batch, 1, width / 4]);
    // What flows back into the last memory.
    let (mut dh, mut dc, mut dn) = (zeros.clone(), at(&dy, time), at(&dy, time + 1));
    let mut steps: Vec<(Gates<B>, State<B>)> = vec![];
    let first = state_of(start.0);
    for t in 0..time {
        let before = steps.last().map_or(&first, |(_, state)| state);
        let next = step(at(&gates, t), &recurrent, before);
        steps.push(next);
    }
    let mut dgates = vec![];
    for t in (0..time).rev() {
        let (gate, state) = &steps[t];
        let before = t.checked_sub(1).map_or(&first, |before| &steps[before].1);
        let one_minus = |x: &Expr<B>| (-x.clone()).add_scalar(1.0);
        dh = dh + at(&dy, t);
        let ratio = state.c.clone() / state.n.clone();
        let d_o = dh.clone() * ratio.clone() * gate.o.clone() * one_minus(&gate.o);
        let dratio = dh * gate.o.clone() / state.n.clone();
        dc = dc + dratio.clone();
        dn = dn - dratio * ratio;
        let di = (dc.clone() * gate.z.clone() + dn.clone()) * gate.i.clone();
        let square = gate.z.clone() * gate.z.clone();
        let dz = dc.clone() * gate.i.clone() * one_minus(&square);
        let df = dc.clone() * before.c.clone() + dn.clone() * before.n.clone();
        let df = df * gate.f.clone() * gate.f_slope.clone();
        let raw = Expr::cat(vec![di, df, dz, d_o], 2);
        drecurrent = drecurrent + before.h.clone().transpose().matmul(raw.clone());
        dh = raw.clone().matmul(recurrent.clone().transpose());
        dc = dc * gate.f.clone();
        dn = dn * gate.f.clone();
        dgates.push(raw.reshape([heads, batch, 1, width]));
    }
    dgates.reverse();
    let dgates = match time {
        0 => gates,
        _ => Expr::cat(dgates, 2),
    };
    let dstate = Expr::cat(vec![row(dh), row(dc), row(dn), row(zeros)], 2);
    (dgates.0, drecurrent.0, dstate.0)
}
