//! The recurrence on `flex`: one task per some sequences, whose rows share the recurrent weights while
//! they are in the cache.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{LstmOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::reduce;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

/// Sequences in a task. Depends on nothing, so that sums over tasks are the same on every machine.
const SEQUENCES: usize = 8;

impl LstmOps for Flex {
    fn fused_lstm(
        gates: FlexTensor,
        recurrent: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
    ) -> FlexTensor {
        by_dtype!([&gates, &recurrent, &hidden, &cell], E => {
            forward::<E>(gates, recurrent, hidden, cell)
        }, reference::forward::<Self>(gates, recurrent, hidden, cell))
    }

    fn fused_lstm_backward(
        gates: FlexTensor,
        recurrent: FlexTensor,
        hidden: FlexTensor,
        cell: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&gates, &recurrent, &hidden, &cell, &dy], E => {
            backward::<E>(gates, recurrent, hidden, cell, dy)
        }, reference::backward::<Self>(gates, recurrent, hidden, cell, dy))
    }
}

/// What a task reads.
#[derive(Clone, Copy)]
struct Rows<'a, E> {
    gates: &'a [E],
    recurrent: &'a [E],
    hidden: &'a [E],
    cell: &'a [E],
    d: usize,
    time: usize,
}

impl<'a, E> Rows<'a, E> {
    /// Number of sequences.
    #[inline(always)]
    fn count(&self) -> usize {
        self.hidden.len() / self.d
    }

    /// The sequences of task `task`.
    fn task(self, task: usize) -> Self {
        let first = task * SEQUENCES;
        let rows = SEQUENCES.min(self.count() - first);
        let part = |values: &'a [E], size: usize| &values[first * size..][..rows * size];
        Self {
            gates: part(self.gates, self.time * 4 * self.d),
            hidden: part(self.hidden, self.d),
            cell: part(self.cell, self.d),
            ..self
        }
    }
}

fn forward<E: Real>(
    gates: FlexTensor,
    recurrent: FlexTensor,
    hidden: FlexTensor,
    cell: FlexTensor,
) -> FlexTensor {
    let [batch, time, width] = gates.shape().dims();
    let d = width / 4;
    let shape = [batch, time + 1, d];
    let mut out = Buffer::<E>::zeros(&shape);
    if batch * d > 0 {
        let dense = [gates, recurrent, hidden, cell].map(Dense::of);
        let [gates, recurrent, hidden, cell] = dense.each_ref().map(|dense| dense.slice::<E>());
        let rows = Rows {
            gates,
            recurrent,
            hidden,
            cell,
            d,
            time,
        };
        let outputs = out.as_mut().par_chunks_mut(SEQUENCES * (time + 1) * d);
        outputs
            .enumerate()
            .for_each(|(task, out)| forward_rows(rows.task(task), out));
    }
    out.into_tensor(shape)
}

/// The gates after their activations, and the memory of the step.
#[inline(always)]
fn advance<E: Real>(gates: &mut [E], c: &mut [E], h: &mut [E], d: usize) {
    let (i, rest) = gates.split_at_mut(d);
    let (f, rest) = rest.split_at_mut(d);
    let (g, o) = rest.split_at_mut(d);
    for k in 0..d {
        i[k] = i[k].sigmoid();
        f[k] = f[k].sigmoid();
        g[k] = g[k].tanh();
        o[k] = o[k].sigmoid();
    }
    for k in 0..d {
        c[k] = f[k] * c[k] + i[k] * g[k];
        h[k] = o[k] * c[k].tanh();
    }
}

/// `gates += h U` for each sequence.
#[inline(always)]
fn recur<E: Real>(gates: &mut [E], h: &[E], recurrent: &[E], d: usize) {
    for (j, weights) in recurrent.chunks_exact(4 * d).enumerate() {
        for (gates, h) in gates.chunks_exact_mut(4 * d).zip(h.chunks_exact(d)) {
            let h = h[j];
            let sums = gates.iter_mut().zip(weights);
            sums.for_each(|(gate, &weight)| *gate += h * weight);
        }
    }
}

multiversion! {
    fn forward_rows<E>(rows: Rows<'_, E>, out: &mut [E]) {
        let (d, time, count) = (rows.d, rows.time, rows.count());
        let (mut h, mut c) = (rows.hidden.to_vec(), rows.cell.to_vec());
        let mut gates = vec![E::ZERO; count * 4 * d];
        for t in 0..time {
            for (row, gates) in gates.chunks_exact_mut(4 * d).enumerate() {
                gates.copy_from_slice(&rows.gates[(row * time + t) * 4 * d..][..4 * d]);
            }
            recur(&mut gates, &h, rows.recurrent, d);
            for row in 0..count {
                let gates = &mut gates[row * 4 * d..][..4 * d];
                let h = &mut h[row * d..][..d];
                advance(gates, &mut c[row * d..][..d], h, d);
                out[(row * (time + 1) + t) * d..][..d].copy_from_slice(h);
            }
        }
        for row in 0..count {
            let last = &mut out[(row * (time + 1) + time) * d..][..d];
            last.copy_from_slice(&c[row * d..][..d]);
        }
    }
}

fn backward<E: Real>(
    gates: FlexTensor,
    recurrent: FlexTensor,
    hidden: FlexTensor,
    cell: FlexTensor,
    dy: FlexTensor,
) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
    let [batch, time, width] = gates.shape().dims();
    let d = width / 4;
    let mut dgates = Buffer::<E>::zeros(&[batch, time, width]);
    let mut dstate = [(); 2].map(|()| Buffer::<E>::zeros(&[batch, d]));
    let mut drecurrent = Buffer::<E>::zeros(&[d, width]);
    if batch * d > 0 {
        let dense = [gates, recurrent, hidden, cell, dy].map(Dense::of);
        let [gates, recurrent, hidden, cell, dy] = dense.each_ref().map(|dense| dense.slice::<E>());
        let rows = Rows {
            gates,
            recurrent,
            hidden,
            cell,
            d,
            time,
        };
        let [dh, dc] = &mut dstate;
        let states = dh.as_mut().par_chunks_mut(SEQUENCES * d);
        let states = states.zip(dc.as_mut().par_chunks_mut(SEQUENCES * d));
        // A window without steps has no gates to write.
        let mut none: Vec<&mut [E]> = vec![];
        let of_gates: Vec<&mut [E]> = match time {
            0 => {
                none.resize_with(batch.div_ceil(SEQUENCES), Default::default);
                none
            }
            _ => dgates
                .as_mut()
                .chunks_mut(SEQUENCES * time * width)
                .collect(),
        };
        let tasks = states.zip(of_gates.into_par_iter()).enumerate();
        let partial: Vec<Vec<E>> = tasks
            .map(|(task, ((dh, dc), dgates))| {
                let mut drecurrent = vec![E::ZERO; d * width];
                let rows = rows.task(task);
                let size = (time + 1) * d;
                let dy = &dy[task * SEQUENCES * size..][..rows.count() * size];
                backward_rows(rows, dy, dgates, &mut drecurrent, dh, dc);
                drecurrent
            })
            .collect();
        for part in partial {
            let sums = drecurrent.as_mut().iter_mut().zip(part);
            sums.for_each(|(sum, x)| *sum += x);
        }
    }
    let [dh, dc] = dstate;
    (
        dgates.into_tensor([batch, time, width]),
        drecurrent.into_tensor([d, width]),
        dh.into_tensor([batch, d]),
        dc.into_tensor([batch, d]),
    )
}

/// Vectors of `D` that a step of a sequence leaves for the backward pass: i, f, g, o, c, h.
const KEPT: usize = 6;

multiversion! {
    fn backward_rows<E>(
        rows: Rows<'_, E>,
        dy: &[E],
        dgates: &mut [E],
        drecurrent: &mut [E],
        dh: &mut [E],
        dc: &mut [E],
    ) {
        let (d, time, count) = (rows.d, rows.time, rows.count());
        let mut kept = vec![E::ZERO; count * time * KEPT * d];
        let (mut h, mut c) = (rows.hidden.to_vec(), rows.cell.to_vec());
        let mut gates = vec![E::ZERO; count * 4 * d];
        for t in 0..time {
            for (row, gates) in gates.chunks_exact_mut(4 * d).enumerate() {
                gates.copy_from_slice(&rows.gates[(row * time + t) * 4 * d..][..4 * d]);
            }
            recur(&mut gates, &h, rows.recurrent, d);
            for row in 0..count {
                let gates = &mut gates[row * 4 * d..][..4 * d];
                let (h, c) = (&mut h[row * d..][..d], &mut c[row * d..][..d]);
                advance(gates, c, h, d);
                let kept = &mut kept[(row * time + t) * KEPT * d..][..KEPT * d];
                kept[..4 * d].copy_from_slice(gates);
                kept[4 * d..5 * d].copy_from_slice(c);
                kept[5 * d..].copy_from_slice(h);
            }
        }
        for row in 0..count {
            let last = &dy[(row * (time + 1) + time) * d..][..d];
            dc[row * d..][..d].copy_from_slice(last);
        }
        for t in (0..time).rev() {
            for row in 0..count {
                let now = &kept[(row * time + t) * KEPT * d..][..KEPT * d];
                let c_before = match t {
                    0 => &rows.cell[row * d..][..d],
                    t => &kept[((row * time + t - 1) * KEPT + 4) * d..][..d],
                };
                let dy = &dy[(row * (time + 1) + t) * d..][..d];
                let (dh, dc) = (&dh[row * d..][..d], &mut dc[row * d..][..d]);
                let out = &mut dgates[(row * time + t) * 4 * d..][..4 * d];
                for k in 0..d {
                    let [i, f, g, o, c] = [0, 1, 2, 3, 4].map(|part| now[part * d + k]);
                    let d_h = dh[k] + dy[k];
                    let shown = c.tanh();
                    let d_c = dc[k] + d_h * o * (E::ONE - shown * shown);
                    out[k] = d_c * g * i * (E::ONE - i);
                    out[d + k] = d_c * c_before[k] * f * (E::ONE - f);
                    out[2 * d + k] = d_c * i * (E::ONE - g * g);
                    out[3 * d + k] = d_h * shown * o * (E::ONE - o);
                    dc[k] = d_c * f;
                }
            }
            for j in 0..d {
                let weights = &rows.recurrent[j * 4 * d..][..4 * d];
                let sums = &mut drecurrent[j * 4 * d..][..4 * d];
                for row in 0..count {
                    let raw = &dgates[(row * time + t) * 4 * d..][..4 * d];
                    dh[row * d + j] = reduce(weights, raw, |w, x| w * x);
                    let h = match t {
                        0 => rows.hidden[row * d + j],
                        t => kept[((row * time + t - 1) * KEPT + 5) * d + j],
                    };
                    sums.iter_mut().zip(raw).for_each(|(sum, &x)| *sum += h * x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (batch, time, d) in [(1, 1, 1), (3, 5, 3), (9, 3, 2)] {
            let gates = noise(1, &[batch, time, 4 * d]);
            let recurrent = noise(2, &[d, 4 * d]);
            let (hidden, cell) = (noise(3, &[batch, d]), noise(4, &[batch, d]));
            let dy = noise(5, &[batch, time + 1, d]);
            let given = || [&gates, &recurrent, &hidden, &cell].map(Clone::clone);
            let [a, b, c, e] = given();
            let found = [forward::<f64>(a, b, c, e)];
            let [a, b, c, e] = given();
            let expected = [reference::forward::<Flex>(a, b, c, e)];
            assert_same("forward", &found, &expected);
            let [a, b, c, e] = given();
            let found = backward::<f64>(a, b, c, e, dy.clone());
            let [a, b, c, e] = given();
            let expected = reference::backward::<Flex>(a, b, c, e, dy);
            let list = |(a, b, c, d)| [a, b, c, d];
            assert_same("gradient", &list(found), &list(expected));
        }
    }
}
