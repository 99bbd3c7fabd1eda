//! The recurrence on `flex`: one task per head and some sequences, whose rows share the recurrent
//! weights while they are in the cache.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{MEMORY, SlstmOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::reduce;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

/// Sequences in a task. Depends on nothing, so that sums over tasks are the same on every machine.
const SEQUENCES: usize = 8;

impl SlstmOps for Flex {
    fn fused_slstm(gates: FlexTensor, recurrent: FlexTensor, state: FlexTensor) -> FlexTensor {
        by_dtype!([&gates, &recurrent, &state], E => {
            forward::<E>(gates, recurrent, state)
        }, reference::forward::<Self>(gates, recurrent, state))
    }

    fn fused_slstm_backward(
        gates: FlexTensor,
        recurrent: FlexTensor,
        state: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&gates, &recurrent, &state, &dy], E => {
            backward::<E>(gates, recurrent, state, dy)
        }, reference::backward::<Self>(gates, recurrent, state, dy))
    }
}

/// A task's part of `values`, which are `[H, B, …]` with `size` numbers per sequence: each head's
/// sequences, some at a time.
fn tasks<E: Real>(values: &mut [E], batch: usize, size: usize) -> Vec<&mut [E]> {
    values
        .chunks_mut(batch * size)
        .flat_map(|head| head.chunks_mut(SEQUENCES * size))
        .collect()
}

/// Where a task's sequences start in `[H·B]`, and its head.
fn place(task: usize, batch: usize) -> (usize, usize) {
    let per_head = batch.div_ceil(SEQUENCES);
    let (head, part) = (task / per_head, task % per_head);
    (head * batch + part * SEQUENCES, head)
}

fn forward<E: Real>(gates: FlexTensor, recurrent: FlexTensor, state: FlexTensor) -> FlexTensor {
    let [heads, batch, time, width] = gates.shape().dims();
    let d = width / 4;
    let dense = [gates, recurrent, state].map(Dense::of);
    let [gates, recurrent, state] = dense.each_ref().map(|dense| dense.slice::<E>());
    let shape = [heads, batch, time + MEMORY, d];
    let size = (time + MEMORY) * d;
    let mut out = Buffer::<E>::new(&shape);
    let outputs = tasks(out.as_mut(), batch, size).into_par_iter();
    outputs.enumerate().for_each(|(task, out)| {
        let (first, head) = place(task, batch);
        let rows = out.len() / size;
        let inputs = Inputs {
            gates: &gates[first * time * width..][..rows * time * width],
            recurrent: &recurrent[head * d * width..][..d * width],
            state: &state[first * width..][..rows * width],
            d,
            time,
        };
        forward_rows(inputs, out);
    });
    out.into_tensor(shape)
}

/// What a task reads.
#[derive(Clone, Copy)]
struct Inputs<'a, E> {
    gates: &'a [E],
    recurrent: &'a [E],
    /// By row: output, cell, normaliser, stabiliser.
    state: &'a [E],
    d: usize,
    time: usize,
}

impl<E: Real> Inputs<'_, E> {
    /// The sequences' memories before the first token, and their last outputs.
    fn start(self) -> (Vec<Memory<E>>, Vec<E>) {
        let states = self.state.chunks_exact(4 * self.d);
        let outputs = states.clone().flat_map(|state| &state[..self.d]);
        let last = outputs.copied().collect();
        (
            states.map(|state| Memory::of(&state[self.d..])).collect(),
            last,
        )
    }

    /// The raw gates of token `t`, given the last outputs.
    #[inline(always)]
    fn read(self, t: usize, last: &[E], memories: &mut [Memory<E>]) {
        let Self { d, time, .. } = self;
        for (row, memory) in memories.iter_mut().enumerate() {
            let gates = &self.gates[(row * time + t) * 4 * d..][..4 * d];
            memory.gates.copy_from_slice(gates);
        }
        recur(memories, last, self.recurrent, d);
    }
}

/// What is kept of a sequence's last step.
struct Memory<E> {
    c: Vec<E>,
    n: Vec<E>,
    m: Vec<E>,
    /// The gates, `4 D`, before and after their activations.
    gates: Vec<E>,
}

impl<E: Real> Memory<E> {
    /// From cell, normaliser and stabiliser.
    fn of(state: &[E]) -> Self {
        let d = state.len() / MEMORY;
        let [c, n, m] = [0, 1, 2].map(|part| state[part * d..][..d].to_vec());
        let gates = vec![E::ZERO; 4 * d];
        Self { c, n, m, gates }
    }

    /// One step from the raw gates; `f_slope` is `σ(-f̃)`.
    #[inline(always)]
    fn advance(&mut self, d: usize, h: &mut [E], mut f_slope: Option<&mut [E]>) {
        let (i, rest) = self.gates.split_at_mut(d);
        let (f, rest) = rest.split_at_mut(d);
        let (z, o) = rest.split_at_mut(d);
        for k in 0..d {
            z[k] = z[k].tanh();
            o[k] = o[k].sigmoid();
        }
        if let Some(slopes) = &mut f_slope {
            for (slope, &f) in slopes.iter_mut().zip(f.iter()) {
                *slope = (-f).sigmoid();
            }
        }
        for k in 0..d {
            let log = f[k].log_sigmoid() + self.m[k];
            let m = i[k].larger(log);
            self.m[k] = m;
            (i[k], f[k]) = ((i[k] - m).exp(), (log - m).exp());
        }
        for k in 0..d {
            self.c[k] = f[k] * self.c[k] + i[k] * z[k];
            self.n[k] = f[k] * self.n[k] + i[k];
            h[k] = o[k] * self.c[k] / self.n[k];
        }
    }
}

/// `gates += h R` for each sequence.
#[inline(always)]
fn recur<E: Real>(memories: &mut [Memory<E>], last: &[E], recurrent: &[E], d: usize) {
    for (j, weights) in recurrent.chunks_exact(4 * d).enumerate() {
        for (row, memory) in memories.iter_mut().enumerate() {
            let h = last[row * d + j];
            let sums = memory.gates.iter_mut().zip(weights);
            sums.for_each(|(gate, &weight)| *gate += h * weight);
        }
    }
}

multiversion! {
    fn forward_rows<E>(inputs: Inputs<'_, E>, out: &mut [E]) {
        let Inputs { d, time, .. } = inputs;
        let (mut memories, mut last) = inputs.start();
        let size = (time + MEMORY) * d;
        for t in 0..time {
            inputs.read(t, &last, &mut memories);
            for (row, memory) in memories.iter_mut().enumerate() {
                let h = &mut last[row * d..][..d];
                memory.advance(d, h, None);
                out[row * size + t * d..][..d].copy_from_slice(h);
            }
        }
        for (memory, out) in memories.iter().zip(out.chunks_exact_mut(size)) {
            let rows = out[time * d..].chunks_exact_mut(d);
            let parts = [&memory.c, &memory.n, &memory.m];
            rows.zip(parts).for_each(|(row, part)| row.copy_from_slice(part));
        }
    }
}

fn backward<E: Real>(
    gates: FlexTensor,
    recurrent: FlexTensor,
    state: FlexTensor,
    dy: FlexTensor,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let shape = gates.shape();
    let [heads, batch, time, width] = shape.dims();
    let d = width / 4;
    let dense = [gates, recurrent, state, dy].map(Dense::of);
    let [gates, recurrent, state, dy] = dense.each_ref().map(|dense| dense.slice::<E>());
    let mut dgates = Buffer::<E>::new(&shape);
    let mut dstate = Buffer::<E>::zeros(&[heads, batch, 4, d]);
    let outputs = tasks(dgates.as_mut(), batch, time * width).into_par_iter();
    let states = tasks(dstate.as_mut(), batch, width).into_par_iter();
    let partial: Vec<Vec<E>> = outputs
        .zip(states)
        .enumerate()
        .map(|(task, (dgates, dstate))| {
            let (first, head) = place(task, batch);
            let rows = dstate.len() / width;
            let inputs = Inputs {
                gates: &gates[first * time * width..][..rows * time * width],
                recurrent: &recurrent[head * d * width..][..d * width],
                state: &state[first * width..][..rows * width],
                d,
                time,
            };
            let size = (time + MEMORY) * d;
            let dy = &dy[first * size..][..rows * size];
            let mut drecurrent = vec![E::ZERO; d * width];
            backward_rows(inputs, dy, dgates, &mut drecurrent, dstate);
            drecurrent
        })
        .collect();
    let mut drecurrent = Buffer::<E>::zeros(&[heads, d, width]);
    let of_heads = drecurrent.as_mut().chunks_exact_mut(d * width);
    let per_head = batch.div_ceil(SEQUENCES);
    for (sum, parts) in of_heads.zip(partial.chunks(per_head)) {
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
        }
    }
    (
        dgates.into_tensor(shape),
        drecurrent.into_tensor([heads, d, width]),
        dstate.into_tensor([heads, batch, 4, d]),
    )
}

/// Vectors of `D` that a step of a sequence leaves for the backward pass.
const KEPT: usize = 8;

multiversion! {
    fn backward_rows<E>(
        inputs: Inputs<'_, E>,
        dy: &[E],
        dgates: &mut [E],
        drecurrent: &mut [E],
        dstate: &mut [E],
    ) {
        let Inputs { d, time, .. } = inputs;
        let (mut memories, mut last) = inputs.start();
        let rows = memories.len();
        // By row and token: i, f, z, o, σ(-f̃), c, n, h.
        let mut kept = vec![E::ZERO; rows * time * KEPT * d];
        for t in 0..time {
            inputs.read(t, &last, &mut memories);
            for (row, memory) in memories.iter_mut().enumerate() {
                let kept = &mut kept[(row * time + t) * KEPT * d..][..KEPT * d];
                let (of_gates, kept) = kept.split_at_mut(4 * d);
                let (slope, kept) = kept.split_at_mut(d);
                let (c, kept) = kept.split_at_mut(d);
                let (n, h) = kept.split_at_mut(d);
                memory.advance(d, h, Some(slope));
                of_gates.copy_from_slice(&memory.gates);
                c.copy_from_slice(&memory.c);
                n.copy_from_slice(&memory.n);
                last[row * d..][..d].copy_from_slice(h);
            }
        }
        // Output, cell and normaliser before token `t`.
        let before = |row: usize, t: usize| match t.checked_sub(1) {
            Some(t) => {
                let kept = &kept[(row * time + t) * KEPT * d..][..KEPT * d];
                [7, 5, 6].map(|part| &kept[part * d..][..d])
            }
            None => [0, 1, 2].map(|part| &inputs.state[(row * 4 + part) * d..][..d]),
        };
        let dy = |row: usize, t: usize| &dy[(row * (time + MEMORY) + t) * d..][..d];
        // What flows back into output, cell and normaliser.
        for row in 0..rows {
            let carried = &mut dstate[row * 4 * d..][..4 * d];
            carried[d..2 * d].copy_from_slice(dy(row, time));
            carried[2 * d..3 * d].copy_from_slice(dy(row, time + 1));
        }
        for t in (0..time).rev() {
            for (row, carried) in dstate.chunks_exact_mut(4 * d).enumerate() {
                let (dh, carried) = carried.split_at_mut(d);
                let (dc, dn) = carried.split_at_mut(d);
                let now = &kept[(row * time + t) * KEPT * d..][..KEPT * d];
                let [_, c_before, n_before] = before(row, t);
                let dy = dy(row, t);
                let out = &mut dgates[(row * time + t) * 4 * d..][..4 * d];
                for k in 0..d {
                    let [i, f, z, o, slope, c, n] =
                        [0, 1, 2, 3, 4, 5, 6].map(|part| now[part * d + k]);
                    let d_h = dh[k] + dy[k];
                    let ratio = c / n;
                    let of_ratio = d_h * o / n;
                    let d_c = dc[k] + of_ratio;
                    let d_n = dn[k] - of_ratio * ratio;
                    out[k] = (d_c * z + d_n) * i;
                    out[d + k] = (d_c * c_before[k] + d_n * n_before[k]) * f * slope;
                    out[2 * d + k] = d_c * i * (E::ONE - z * z);
                    out[3 * d + k] = d_h * ratio * o * (E::ONE - o);
                    dc[k] = d_c * f;
                    dn[k] = d_n * f;
                }
            }
            for j in 0..d {
                let weights = &inputs.recurrent[j * 4 * d..][..4 * d];
                let sums = &mut drecurrent[j * 4 * d..][..4 * d];
                for (row, carried) in dstate.chunks_exact_mut(4 * d).enumerate() {
                    let raw = &dgates[(row * time + t) * 4 * d..][..4 * d];
                    carried[j] = reduce(weights, raw, |w, x| w * x);
                    let h = before(row, t)[0][j];
                    sums.iter_mut().zip(raw).for_each(|(sum, &x)| *sum += h * x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::ops::FloatTensorOps;

    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (heads, batch, time, d) in [(1, 1, 1, 1), (2, 3, 5, 3), (2, 9, 3, 2)] {
            let gates = noise(1, &[heads, batch, time, 4 * d]);
            let recurrent = noise(2, &[heads, d, 4 * d]);
            let dy = noise(3, &[heads, batch, time + MEMORY, d]);
            // A normaliser is positive.
            let state = noise(4, &[heads, batch, 4, d]);
            let state = <Flex as FloatTensorOps<Flex>>::float_exp(state);
            let inputs = || (gates.clone(), recurrent.clone(), state.clone());
            let (g, r, s) = inputs();
            let found = [forward::<f64>(g, r, s)];
            let (g, r, s) = inputs();
            let expected = [reference::forward::<Flex>(g, r, s)];
            assert_same("forward", &found, &expected);
            let (g, r, s) = inputs();
            let (dgates, dr, ds) = backward::<f64>(g, r, s, dy.clone());
            let (g, r, s) = inputs();
            let (egates, er, es) = reference::backward::<Flex>(g, r, s, dy);
            assert_same("gradient", &[dgates, dr, ds], &[egates, er, es]);
        }
    }
}
