//! The scan on `flex`: vector lanes are channels, tasks are sequences and groups of channels.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{Gradients, SelectiveScanOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

/// Channels that are computed together, in the lanes of a vector.
const LANES: usize = 16;

/// Blocks of channels in a task. Depends on nothing, so that sums over blocks are the same on every
/// machine.
const BLOCKS: usize = 4;

/// Tokens whose states are there at once in the backward pass.
const CHUNK: usize = 32;

type Lanes<E> = [E; LANES];

impl SelectiveScanOps for Flex {
    fn fused_selective_scan(
        u: FlexTensor,
        step: FlexTensor,
        a: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
        state: FlexTensor,
    ) -> FlexTensor {
        by_dtype!([&u, &step, &a, &b, &c, &state], E => {
            forward::<E>([u, step, a, b, c, state])
        }, reference::forward::<Self>([u, step, a, b, c, state]))
    }

    fn fused_selective_scan_backward(
        u: FlexTensor,
        step: FlexTensor,
        a: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
        state: FlexTensor,
        dy: FlexTensor,
    ) -> Gradients<Self> {
        by_dtype!([&u, &step, &a, &b, &c, &state, &dy], E => {
            backward::<E>([u, step, a, b, c, state], dy)
        }, reference::backward::<Self>([u, step, a, b, c, state], dy))
    }
}

/// The sizes of a call.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    time: usize,
    width: usize,
    states: usize,
}

impl Sizes {
    fn of(u: &FlexTensor, a: &FlexTensor) -> Self {
        let ([batch, time, width], [_, states]) = (u.shape().dims(), a.shape().dims());
        Self {
            batch,
            time,
            width,
            states,
        }
    }

    /// Tasks per sequence.
    fn tasks(self) -> usize {
        self.width.div_ceil(BLOCKS * LANES)
    }

    /// The blocks of a task that there are, each with its first channel and how many it has.
    fn blocks(self, task: usize) -> impl Iterator<Item = (usize, usize)> {
        let first = (task % self.tasks()) * BLOCKS * LANES;
        let starts = (0..BLOCKS).map(move |block| first + block * LANES);
        starts
            .filter(move |start| *start < self.width)
            .map(move |start| (start, LANES.min(self.width - start)))
    }

    /// Results that lie by task, block, token and lane, as `[B, T, E]`.
    fn by_token<E: Real>(self, by_task: &[E]) -> Buffer<E> {
        let mut out = Buffer::<E>::new(&[self.batch, self.time, self.width]);
        let Self { time, width, .. } = self;
        let task_size = BLOCKS * time * LANES;
        let rows = out.as_mut().par_chunks_mut(width);
        rows.enumerate().for_each(|(row, out)| {
            let (sequence, t) = (row / time, row % time);
            for (block, out) in out.chunks_mut(LANES).enumerate() {
                let task = sequence * self.tasks() + block / BLOCKS;
                let start = task * task_size + (block % BLOCKS) * time * LANES + t * LANES;
                out.copy_from_slice(&by_task[start..][..out.len()]);
            }
        });
        out
    }
}

/// A block of channels of one sequence.
#[derive(Clone, Copy)]
struct Block<'a, E> {
    /// From the block's first channel on, `width` per token.
    u: &'a [E],
    step: &'a [E],
    /// `[N]` lanes.
    a: &'a [Lanes<E>],
    b: &'a [E],
    c: &'a [E],
    /// `[N]` lanes, before the first token.
    start: &'a [Lanes<E>],
    /// Channels of the block, of all, and states of each.
    lanes: usize,
    width: usize,
    states: usize,
    time: usize,
}

/// The lanes of token `t`; those beyond the last channel are 0.
#[inline(always)]
fn load<E: Real>(values: &[E], t: usize, width: usize, lanes: usize) -> Lanes<E> {
    let row = &values[t * width..][..lanes];
    let mut out = [E::ZERO; LANES];
    match <&Lanes<E>>::try_from(row) {
        Ok(row) => out = *row,
        Err(_) => out[..lanes].copy_from_slice(row),
    }
    out
}

/// A block of `[E, N]`, a vector of channels per state.
fn by_state<E: Real>(values: &[E], (first, lanes): (usize, usize), states: usize) -> Vec<Lanes<E>> {
    let mut out = vec![[E::ZERO; LANES]; states];
    for lane in 0..lanes {
        let row = &values[(first + lane) * states..][..states];
        for (out, &value) in out.iter_mut().zip(row) {
            out[lane] = value;
        }
    }
    out
}

/// The inputs, as slices.
#[derive(Clone, Copy)]
struct Inputs<'a, E> {
    u: &'a [E],
    step: &'a [E],
    a: &'a [E],
    b: &'a [E],
    c: &'a [E],
    state: &'a [E],
    sizes: Sizes,
}

impl<'a, E: Real> Inputs<'a, E> {
    fn of(dense: &'a [Dense; 6], sizes: Sizes) -> Self {
        let [u, step, a, b, c, state] = dense.each_ref().map(|dense| dense.slice::<E>());
        Self {
            u,
            step,
            a,
            b,
            c,
            state,
            sizes,
        }
    }

    /// Calls `run` with a block of a task.
    #[inline(always)]
    fn with_block(self, task: usize, place: (usize, usize), run: impl FnOnce(Block<'_, E>)) {
        let Sizes {
            time,
            width,
            states,
            ..
        } = self.sizes;
        let (sequence, (first, lanes)) = (task / self.sizes.tasks(), place);
        let (tokens, of_states) = (sequence * time * width, sequence * time * states);
        run(Block {
            u: &self.u[tokens + first..],
            step: &self.step[tokens + first..],
            a: &by_state(self.a, place, states),
            b: &self.b[of_states..][..time * states],
            c: &self.c[of_states..][..time * states],
            start: &by_state(&self.state[sequence * width * states..], place, states),
            lanes,
            width,
            states,
            time,
        });
    }
}

fn forward<E: Real>(inputs: [FlexTensor; 6]) -> FlexTensor {
    let (shape, sizes) = (inputs[0].shape(), Sizes::of(&inputs[0], &inputs[2]));
    let dense = inputs.map(Dense::of);
    let inputs = Inputs::<E>::of(&dense, sizes);
    let task_size = BLOCKS * sizes.time * LANES;
    let mut by_task = Buffer::<E>::new(&[sizes.batch, sizes.tasks(), task_size]);
    let tasks = by_task.as_mut().par_chunks_mut(task_size);
    tasks.enumerate().for_each(|(task, y)| {
        let parts = y.chunks_mut(sizes.time * LANES);
        for (block, y) in sizes.blocks(task).zip(parts) {
            inputs.with_block(task, block, |block| forward_block(block, y));
        }
    });
    sizes.by_token(by_task.as_mut()).into_tensor(shape)
}

/// The next state.
#[inline(always)]
fn advance<E: Real>(block: Block<'_, E>, t: usize, state: &mut [Lanes<E>]) {
    let step = load(block.step, t, block.width, block.lanes);
    let mut input = load(block.u, t, block.width, block.lanes);
    for lane in 0..LANES {
        input[lane] *= step[lane];
    }
    let b = &block.b[t * block.states..][..block.states];
    for ((state, rate), &b) in state.iter_mut().zip(block.a).zip(b) {
        for lane in 0..LANES {
            let decay = (step[lane] * rate[lane]).exp();
            state[lane] = decay * state[lane] + b * input[lane];
        }
    }
}

multiversion! {
    fn forward_block<E>(block: Block<'_, E>, y: &mut [E]) {
        let mut state = block.start.to_vec();
        for (t, y) in y.chunks_exact_mut(LANES).enumerate() {
            advance(block, t, &mut state);
            let mut sum = [E::ZERO; LANES];
            for (state, &c) in state.iter().zip(&block.c[t * block.states..]) {
                for lane in 0..LANES {
                    sum[lane] += c * state[lane];
                }
            }
            y.copy_from_slice(&sum);
        }
    }
}

/// Where the gradients of a task or block go.
struct TaskGradients<'a, E> {
    /// By block, token and lane.
    u: &'a mut [E],
    step: &'a mut [E],
    /// By block, state and lane.
    a: &'a mut [E],
    state: &'a mut [E],
    /// By token and state; the sum over the channels of the task.
    b: &'a mut [E],
    c: &'a mut [E],
}

fn backward<E: Real>(inputs: [FlexTensor; 6], dy: FlexTensor) -> Gradients<Flex> {
    let (shape, sizes) = (inputs[0].shape(), Sizes::of(&inputs[0], &inputs[2]));
    let Sizes {
        batch,
        time,
        width,
        states,
    } = sizes;
    let (dense, dy) = (inputs.map(Dense::of), Dense::of(dy));
    let (inputs, dy) = (Inputs::<E>::of(&dense, sizes), dy.slice::<E>());
    let all = sizes.tasks();
    let (of_tokens, of_channels) = (BLOCKS * time * LANES, BLOCKS * states * LANES);
    let mut du = Buffer::<E>::new(&[batch, all, of_tokens]);
    let mut dstep = Buffer::<E>::new(&[batch, all, of_tokens]);
    let mut da = Buffer::<E>::zeros(&[batch, all, of_channels]);
    let mut dstate = Buffer::<E>::zeros(&[batch, all, of_channels]);
    let mut db = Buffer::<E>::zeros(&[batch, all, time, states]);
    let mut dc = Buffer::<E>::zeros(&[batch, all, time, states]);
    let tasks = du
        .as_mut()
        .par_chunks_mut(of_tokens)
        .zip(dstep.as_mut().par_chunks_mut(of_tokens))
        .zip(da.as_mut().par_chunks_mut(of_channels))
        .zip(dstate.as_mut().par_chunks_mut(of_channels))
        .zip(db.as_mut().par_chunks_mut(time * states))
        .zip(dc.as_mut().par_chunks_mut(time * states));
    tasks
        .enumerate()
        .for_each(|(task, (((((du, dstep), da), dstate), db), dc))| {
            for (k, block) in sizes.blocks(task).enumerate() {
                let dy = &dy[(task / all) * time * width + block.0..];
                let gradients = TaskGradients {
                    u: &mut du[k * time * LANES..][..time * LANES],
                    step: &mut dstep[k * time * LANES..][..time * LANES],
                    a: &mut da[k * states * LANES..][..states * LANES],
                    state: &mut dstate[k * states * LANES..][..states * LANES],
                    b: &mut *db,
                    c: &mut *dc,
                };
                inputs.with_block(task, block, |block| backward_block(block, dy, gradients));
            }
        });
    let mut rates = Buffer::<E>::zeros(&[width, states]);
    let mut first = Buffer::<E>::zeros(&[batch, width, states]);
    for sequence in 0..batch {
        let part = sequence * all * of_channels..(sequence + 1) * all * of_channels;
        sizes.add_channels(&da.as_mut()[part.clone()], rates.as_mut());
        let first = &mut first.as_mut()[sequence * width * states..][..width * states];
        sizes.add_channels(&dstate.as_mut()[part], first);
    }
    let over_tasks = |partial: &mut Buffer<E>| {
        let mut sum = Buffer::<E>::new(&[batch, time, states]);
        let sequences = sum.as_mut().par_chunks_mut(time * states);
        let partial: &[E] = partial.as_mut();
        sequences.enumerate().for_each(|(sequence, sum)| {
            let mut parts = partial[sequence * all * time * states..]
                .chunks_exact(time * states)
                .take(all);
            if let Some(first) = parts.next() {
                sum.copy_from_slice(first);
            }
            for part in parts {
                sum.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
            }
        });
        sum.into_tensor([batch, time, states])
    };
    (
        sizes.by_token(du.as_mut()).into_tensor(shape.clone()),
        sizes.by_token(dstep.as_mut()).into_tensor(shape),
        rates.into_tensor([width, states]),
        over_tasks(&mut db),
        over_tasks(&mut dc),
        first.into_tensor([batch, width, states]),
    )
}

impl Sizes {
    /// Adds what lies by block, state and lane to `[E, N]`.
    fn add_channels<E: Real>(self, by_block: &[E], out: &mut [E]) {
        for (channel, row) in out.chunks_exact_mut(self.states).enumerate() {
            let block = &by_block[(channel / LANES) * self.states * LANES..];
            for (sum, lanes) in row.iter_mut().zip(block.chunks_exact(LANES)) {
                *sum += lanes[channel % LANES];
            }
        }
    }
}

/// The sum of the lanes.
#[inline(always)]
fn total<E: Real>(lanes: Lanes<E>) -> E {
    let mut lanes = lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] += other;
        }
        half /= 2;
    }
    lanes[0]
}

multiversion! {
    fn backward_block<E>(block: Block<'_, E>, dy: &[E], out: TaskGradients<'_, E>) {
        let n = block.states;
        let chunks = block.time.div_ceil(CHUNK);
        // The state before each chunk.
        let mut starts = vec![[E::ZERO; LANES]; chunks * n];
        let mut state = block.start.to_vec();
        starts[..n].copy_from_slice(&state);
        for k in 1..chunks {
            for t in (k - 1) * CHUNK..k * CHUNK {
                advance(block, t, &mut state);
            }
            starts[k * n..][..n].copy_from_slice(&state);
        }
        // What flows back into the state before the token that was looked at last.
        let mut carried = vec![[E::ZERO; LANES]; n];
        let mut drate = vec![[E::ZERO; LANES]; n];
        // The states before and after each token of a chunk.
        let mut states = vec![[E::ZERO; LANES]; (CHUNK + 1) * n];
        for k in (0..chunks).rev() {
            let (start, end) = (k * CHUNK, ((k + 1) * CHUNK).min(block.time));
            states[..n].copy_from_slice(&starts[k * n..][..n]);
            for t in start..end {
                let (before, after) = states.split_at_mut((t - start + 1) * n);
                let after = &mut after[..n];
                after.copy_from_slice(&before[(t - start) * n..]);
                advance(block, t, after);
            }
            for t in (start..end).rev() {
                let u = load(block.u, t, block.width, block.lanes);
                let step = load(block.step, t, block.width, block.lanes);
                let dy = load(dy, t, block.width, block.lanes);
                let (mut du, mut dstep) = ([E::ZERO; LANES], [E::ZERO; LANES]);
                for i in 0..n {
                    let before = &states[(t - start) * n + i];
                    let after = &states[(t - start + 1) * n + i];
                    let (b, c, rate) = (block.b[t * n + i], block.c[t * n + i], &block.a[i]);
                    let (mut of_b, mut of_c) = ([E::ZERO; LANES], [E::ZERO; LANES]);
                    for lane in 0..LANES {
                        of_c[lane] = dy[lane] * after[lane];
                        let dstate = carried[i][lane] + c * dy[lane];
                        let decay = (step[lane] * rate[lane]).exp();
                        let back = dstate * decay;
                        let of_decay = back * before[lane];
                        carried[i][lane] = back;
                        drate[i][lane] += of_decay * step[lane];
                        dstep[lane] += of_decay * rate[lane] + dstate * b * u[lane];
                        du[lane] += dstate * b;
                        of_b[lane] = dstate * u[lane] * step[lane];
                    }
                    out.b[t * n + i] += total(of_b);
                    out.c[t * n + i] += total(of_c);
                }
                for lane in 0..LANES {
                    du[lane] *= step[lane];
                }
                out.u[t * LANES..][..LANES].copy_from_slice(&du);
                out.step[t * LANES..][..LANES].copy_from_slice(&dstep);
            }
        }
        for (out, lanes) in out.a.chunks_exact_mut(LANES).zip(&drate) {
            out.copy_from_slice(lanes);
        }
        for (out, lanes) in out.state.chunks_exact_mut(LANES).zip(&carried) {
            out.copy_from_slice(lanes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (time, width, states) in [(1, 1, 1), (7, 5, 3), (33, 19, 2), (65, 67, 1)] {
            let [u, step, dy] = [1, 2, 3].map(|seed| noise(seed, &[2, time, width]));
            let (a, state) = (noise(4, &[width, states]), noise(7, &[2, width, states]));
            let [b, c] = [5, 6].map(|seed| noise(seed, &[2, time, states]));
            let inputs = [u, step, a, b, c, state];
            let found = [forward::<f64>(inputs.clone())];
            let expected = [reference::forward::<Flex>(inputs.clone())];
            assert_same("forward", &found, &expected);
            let (du, dstep, da, db, dc, dstate) = backward::<f64>(inputs.clone(), dy.clone());
            let (eu, estep, ea, eb, ec, estate) = reference::backward::<Flex>(inputs, dy);
            assert_same(
                "gradient",
                &[du, dstep, da, db, dc, dstate],
                &[eu, estep, ea, eb, ec, estate],
            );
        }
    }
}
