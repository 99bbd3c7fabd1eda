//! The recurrence on `flex`: one task per some sequences, whose rows share the recurrent weights while
//! they are in the cache.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{LstmOps, reference};
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};
use crate::ops::flex::{Matrix, Real, product};

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

/// Rows and columns of a block of sums, which stays in registers.
const ROWS: usize = 4;
const LANES: usize = 16;

/// `sums += a b`, where `a` has rows of `depth` and `sums` as many.
#[inline(always)]
fn add_product<E: Real>(sums: &mut [E], a: &[E], b: &[E], depth: usize) {
    let width = b.len() / depth;
    let whole = sums.len() / width / ROWS * ROWS;
    let (blocks, rest) = sums.split_at_mut(whole * width);
    let (rows_of_blocks, rows_of_rest) = a.split_at(whole * depth);
    let blocks = blocks.chunks_exact_mut(ROWS * width);
    for (sums, a) in blocks.zip(rows_of_blocks.chunks_exact(ROWS * depth)) {
        add_to_rows::<E, ROWS>(sums, a, b, depth);
    }
    let rest = rest.chunks_exact_mut(width);
    for (sums, a) in rest.zip(rows_of_rest.chunks_exact(depth)) {
        add_to_rows::<E, 1>(sums, a, b, depth);
    }
}

/// [`add_product`] of `R` rows.
#[inline(always)]
fn add_to_rows<E: Real, const R: usize>(sums: &mut [E], a: &[E], b: &[E], depth: usize) {
    let width = sums.len() / R;
    let whole = width - width % LANES;
    for lane in (0..whole).step_by(LANES) {
        let mut block = [[E::ZERO; LANES]; R];
        for (r, block) in block.iter_mut().enumerate() {
            block.copy_from_slice(&sums[r * width + lane..][..LANES]);
        }
        for (k, b) in b.chunks_exact(width).enumerate() {
            let b = &b[lane..lane + LANES];
            for (r, block) in block.iter_mut().enumerate() {
                let x = a[r * depth + k];
                for (sum, &y) in block.iter_mut().zip(b) {
                    *sum += x * y;
                }
            }
        }
        for (r, block) in block.iter().enumerate() {
            sums[r * width + lane..][..LANES].copy_from_slice(block);
        }
    }
    for lane in whole..width {
        for r in 0..R {
            let mut sum = sums[r * width + lane];
            for (k, b) in b.chunks_exact(width).enumerate() {
                sum += a[r * depth + k] * b[lane];
            }
            sums[r * width + lane] = sum;
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
            add_product(&mut gates, &h, rows.recurrent, d);
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
        let mut back = vec![E::ZERO; d * width];
        for (j, weights) in recurrent.chunks_exact(width).enumerate() {
            for (k, &weight) in weights.iter().enumerate() {
                back[k * d + j] = weight;
            }
        }
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
                let rows = rows.task(task);
                let size = (time + 1) * d;
                let dy = &dy[task * SEQUENCES * size..][..rows.count() * size];
                let mut kept = vec![E::ZERO; rows.count() * time * KEPT * d];
                backward_rows(rows, &back, dy, dgates, &mut kept, dh, dc);
                of_recurrent(rows, dgates, &kept)
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
        back: &[E],
        dy: &[E],
        dgates: &mut [E],
        kept: &mut [E],
        dh: &mut [E],
        dc: &mut [E],
    ) {
        let (d, time, count) = (rows.d, rows.time, rows.count());
        let (mut h, mut c) = (rows.hidden.to_vec(), rows.cell.to_vec());
        let mut gates = vec![E::ZERO; count * 4 * d];
        for t in 0..time {
            for (row, gates) in gates.chunks_exact_mut(4 * d).enumerate() {
                gates.copy_from_slice(&rows.gates[(row * time + t) * 4 * d..][..4 * d]);
            }
            add_product(&mut gates, &h, rows.recurrent, d);
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
            for (row, now) in gates.chunks_exact_mut(4 * d).enumerate() {
                now.copy_from_slice(&dgates[(row * time + t) * 4 * d..][..4 * d]);
            }
            dh.fill(E::ZERO);
            add_product(dh, &gates, back, 4 * d);
        }
    }
}

/// The gradient of the recurrent weights: of each step the outputs before it times the gradients of its
/// gates.
fn of_recurrent<E: Real>(rows: Rows<'_, E>, dgates: &[E], kept: &[E]) -> Vec<E> {
    let (d, time, count) = (rows.d, rows.time, rows.count());
    let width = 4 * d;
    let mut sums = vec![E::ZERO; d * width];
    if time == 0 {
        return sums;
    }
    let into = Matrix::new(sums.as_mut_ptr(), width);
    assert!(dgates.len() == count * time * width && kept.len() == count * time * KEPT * d);
    let before = Matrix::new(rows.hidden.as_ptr(), d).transposed();
    let first = Matrix::new(dgates.as_ptr(), time * width);
    // SAFETY: `hidden` has a row per sequence, `dgates` a first step of each.
    unsafe { product([d, count, width], into, before, first, E::ONE, false) };
    if time == 1 {
        return sums;
    }
    for row in 0..count {
        let before = kept[(row * time * KEPT + 5) * d..].as_ptr();
        let before = Matrix::new(before, KEPT * d).transposed();
        let after = Matrix::new(dgates[(row * time + 1) * width..].as_ptr(), width);
        // SAFETY: a sequence has `time` steps in both, of which the last of `kept` and the first of
        // `dgates` are left out.
        unsafe { product([d, time - 1, width], into, before, after, E::ONE, true) };
    }
    sums
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
