//! The scan made of Burn's operations: chunk after chunk, and within one in doubling strides.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};

use super::Gradients;
use crate::ops::expression::Expr;

/// Tokens whose states are there at once.
const CHUNK: usize = 32;

/// `h_t = a_t h_{t-1} + x_t` along axis 1 from `start` `[B, 1, E, N]`, in log₂ T rounds.
fn recurrence<B: Backend>(decay: Expr<B>, x: Expr<B>, start: Expr<B>) -> Expr<B> {
    let time = x.shape()[1];
    let first = x.clone().narrow(1, 0, 1) + decay.clone().narrow(1, 0, 1) * start;
    let mut x = match time {
        1 => return first,
        _ => Expr::cat(vec![first, x.narrow(1, 1, time)], 1),
    };
    let mut decay = decay;
    let mut stride = 1;
    while stride < time {
        let earlier = x.clone().narrow(1, 0, time - stride);
        let later = decay.clone().narrow(1, stride, time);
        let moved = x.clone().narrow(1, stride, time) + later.clone() * earlier;
        x = Expr::cat(vec![x.narrow(1, 0, stride), moved], 1);
        let joined = later * decay.clone().narrow(1, 0, time - stride);
        decay = Expr::cat(vec![decay.narrow(1, 0, stride), joined], 1);
        stride *= 2;
    }
    x
}

/// The inputs of a chunk with all four axes `[B, q, E, N]`, of which some have length 1.
struct Chunk<B: Backend> {
    u: Expr<B>,
    step: Expr<B>,
    a: Expr<B>,
    b: Expr<B>,
    c: Expr<B>,
    /// `exp(Δ A)`.
    decay: Expr<B>,
}

/// All inputs, `[B, T, E]`, `[E, N]` and `[B, T, N]`.
struct Inputs<B: Backend> {
    u: Expr<B>,
    step: Expr<B>,
    a: Expr<B>,
    b: Expr<B>,
    c: Expr<B>,
    /// The state before the first token, `[B, 1, E, N]`.
    start: Expr<B>,
}

/// A chunk `[B, q, W]` of `x` `[B, T, W]` with an axis after the channels.
fn of_channels<B: Backend>(x: &Expr<B>, from: usize, to: usize) -> Expr<B> {
    let [batch, _, width] = x.shape().dims();
    let chunk = x.clone().narrow(1, from, to);
    chunk.reshape([batch, to - from, width, 1])
}

/// The same with an axis before the states.
fn of_states<B: Backend>(x: &Expr<B>, from: usize, to: usize) -> Expr<B> {
    let [batch, _, width] = x.shape().dims();
    let chunk = x.clone().narrow(1, from, to);
    chunk.reshape([batch, to - from, 1, width])
}

impl<B: Backend> Inputs<B> {
    fn new(inputs: [FloatTensor<B>; 6]) -> Self {
        let [u, step, a, b, c, state] = inputs.map(Expr::<B>);
        let [batch, width, states] = state.shape().dims();
        Self {
            u,
            step,
            a,
            b,
            c,
            start: state.reshape([batch, 1, width, states]),
        }
    }

    fn chunk(&self, k: usize) -> Chunk<B> {
        let (from, to) = (k * CHUNK, ((k + 1) * CHUNK).min(self.time()));
        let [width, states] = self.a.shape().dims();
        let a = self.a.clone().reshape([1, 1, width, states]);
        let step = of_channels(&self.step, from, to);
        Chunk {
            u: of_channels(&self.u, from, to),
            decay: (step.clone() * a.clone()).exp(),
            step,
            a,
            b: of_states(&self.b, from, to),
            c: of_states(&self.c, from, to),
        }
    }

    fn time(&self) -> usize {
        self.u.shape()[1]
    }

    fn chunks(&self) -> usize {
        self.time().div_ceil(CHUNK)
    }

    fn is_empty(&self) -> bool {
        self.u.is_empty() || self.a.is_empty()
    }
}

impl<B: Backend> Chunk<B> {
    fn states(&self, start: Expr<B>) -> Expr<B> {
        let added = self.step.clone() * self.u.clone() * self.b.clone();
        recurrence(self.decay.clone(), added, start)
    }
}

fn last<B: Backend>(states: &Expr<B>) -> Expr<B> {
    let time = states.shape()[1];
    states.clone().narrow(1, time - 1, time)
}

/// Sums over `dim`, which goes away: `[B, q, E, N]` to three axes.
fn summed<B: Backend>(x: Expr<B>, dim: usize) -> Expr<B> {
    let [batch, q, width, states] = x.shape().dims();
    let kept = if dim == 2 { states } else { width };
    x.sum_dim(dim).reshape([batch, q, kept])
}

pub(super) fn forward<B: Backend>(inputs: [FloatTensor<B>; 6]) -> FloatTensor<B> {
    let inputs = Inputs::<B>::new(inputs);
    if inputs.is_empty() {
        return inputs.u.zeros_like(inputs.u.shape()).0;
    }
    let mut state = inputs.start.clone();
    let mut outputs = vec![];
    for k in 0..inputs.chunks() {
        let chunk = inputs.chunk(k);
        let states = chunk.states(state);
        state = last(&states);
        outputs.push(summed(states * chunk.c, 3));
    }
    Expr::cat(outputs, 1).0
}

pub(super) fn backward<B: Backend>(
    inputs: [FloatTensor<B>; 6],
    dy: FloatTensor<B>,
) -> Gradients<B> {
    let state_shape = inputs[5].shape();
    let inputs = Inputs::<B>::new(inputs);
    let zeros = |x: &Expr<B>| x.zeros_like(x.shape());
    let mut da = zeros(&inputs.a);
    if inputs.is_empty() {
        let of = |x: &Expr<B>| zeros(x).0;
        let (u, b) = (&inputs.u, &inputs.b);
        let state = u.zeros_like(state_shape).0;
        return (of(u), of(u), da.0, of(b), of(b), state);
    }
    let dy = Expr::<B>(dy);
    // The state before each chunk.
    let mut starts = vec![inputs.start.clone()];
    for k in 1..inputs.chunks() {
        let state = inputs.chunk(k - 1).states(starts[k - 1].clone());
        starts.push(last(&state));
    }
    // What flows back into the state after the chunk.
    let mut carried = zeros(&inputs.start);
    let (mut du, mut dstep, mut db, mut dc) = (vec![], vec![], vec![], vec![]);
    for (k, start) in starts.into_iter().enumerate().rev() {
        let chunk = inputs.chunk(k);
        let states = chunk.states(start.clone());
        let q = states.shape()[1];
        let dy = of_channels(&dy, k * CHUNK, k * CHUNK + q);
        dc.push(summed(dy.clone() * states.clone(), 2));
        // dh_t = C_t dy_t + exp(Δ_{t+1} A) dh_{t+1}, from the last token on.
        let shape = chunk.decay.shape();
        let one = chunk.decay.clone().narrow(1, 0, 1);
        let one = one.zeros_like(one.shape()).add_scalar(1.0);
        let next = match q {
            1 => one,
            _ => Expr::cat(vec![chunk.decay.clone().narrow(1, 1, q), one], 1),
        };
        let from_outputs = (chunk.c * dy).expand(shape);
        let dstates = recurrence(next.flip(1), from_outputs.flip(1), carried).flip(1);
        carried = dstates.clone().narrow(1, 0, 1) * chunk.decay.clone().narrow(1, 0, 1);

        let before = match q {
            1 => start,
            _ => Expr::cat(vec![start, states.narrow(1, 0, q - 1)], 1),
        };
        let of_decay = dstates.clone() * chunk.decay * before;
        let da_chunk = (of_decay.clone() * chunk.step.clone())
            .sum_dim(0)
            .sum_dim(1);
        da = da.clone() + da_chunk.reshape(da.shape());
        let of_input = summed(dstates.clone() * chunk.b, 3);
        let flat = |x: Expr<B>| {
            let [batch, q, width, _] = x.shape().dims();
            x.reshape([batch, q, width])
        };
        let input = chunk.step.clone() * chunk.u.clone();
        dstep.push(summed(of_decay * chunk.a, 3) + of_input.clone() * flat(chunk.u));
        du.push(of_input * flat(chunk.step));
        db.push(summed(dstates * input, 2));
    }
    let joined = |mut parts: Vec<Expr<B>>| {
        parts.reverse();
        Expr::cat(parts, 1).0
    };
    let dstate = carried.reshape(state_shape).0;
    (
        joined(du),
        joined(dstep),
        da.0,
        joined(db),
        joined(dc),
        dstate,
    )
}
