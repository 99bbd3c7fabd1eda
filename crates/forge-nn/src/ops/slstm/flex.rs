//! The recurrence on `flex`: one task per head and some sequences, whose rows share the recurrent
//! weights while they are in the cache.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{SlstmOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::reduce;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

/// Sequences in a task. Depends on nothing, so that sums over tasks are the same on every machine.
const SEQUENCES: usize = 8;

impl SlstmOps for Flex {
    fn fused_slstm(gates: FlexTensor, recurrent: FlexTensor) -> FlexTensor {
        by_dtype!([&gates, &recurrent], E => {
            forward::<E>(gates, recurrent)
        }, reference::forward::<Self>(gates, recurrent))
    }

    fn fused_slstm_backward(
        gates: FlexTensor,
        recurrent: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor) {
        by_dtype!([&gates, &recurrent, &dy], E => {
            backward::<E>(gates, recurrent, dy)
        }, reference::backward::<Self>(gates, recurrent, dy))
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

fn forward<E: Real>(gates: FlexTensor, recurrent: FlexTensor) -> FlexTensor {
    let [heads, batch, time, width] = gates.shape().dims();
    let d = width / 4;
    let dense = [gates, recurrent].map(Dense::of);
    let [gates, recurrent] = dense.each_ref().map(|dense| dense.slice::<E>());
    let mut out = Buffer::<E>::new(&[heads, batch, time, d]);
    let outputs = tasks(out.as_mut(), batch, time * d).into_par_iter();
    outputs.enumerate().for_each(|(task, out)| {
        let (first, head) = place(task, batch);
        let rows = out.len() / (time * d);
        let gates = &gates[first * time * width..][..rows * time * width];
        let recurrent = &recurrent[head * d * width..][..d * width];
        forward_rows(gates, recurrent, d, time, out);
    });
    out.into_tensor([heads, batch, time, d])
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
    fn new(d: usize) -> Self {
        Self {
            c: vec![E::ZERO; d],
            n: vec![E::ZERO; d],
            m: vec![E::ZERO; d],
            gates: vec![E::ZERO; 4 * d],
        }
    }

    /// One step from the raw gates; `f_slope` is `σ(-f̃)`.
    #[inline(always)]
    fn advance(&mut self, first: bool, d: usize, h: &mut [E], mut f_slope: Option<&mut [E]>) {
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
            if first {
                self.m[k] = i[k];
                (i[k], f[k]) = ((i[k] - self.m[k]).exp(), E::ZERO);
            } else {
                let log = f[k].log_sigmoid() + self.m[k];
                let m = i[k].larger(log);
                self.m[k] = m;
                (i[k], f[k]) = ((i[k] - m).exp(), (log - m).exp());
            }
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
    fn forward_rows<E>(gates: &[E], recurrent: &[E], d: usize, time: usize, out: &mut [E]) {
        let rows = out.len() / (time * d);
        let mut memories: Vec<Memory<E>> = (0..rows).map(|_| Memory::new(d)).collect();
        let mut last = vec![E::ZERO; rows * d];
        for t in 0..time {
            for (row, memory) in memories.iter_mut().enumerate() {
                memory.gates.copy_from_slice(&gates[(row * time + t) * 4 * d..][..4 * d]);
            }
            if t > 0 {
                recur(&mut memories, &last, recurrent, d);
            }
            for (row, memory) in memories.iter_mut().enumerate() {
                let h = &mut last[row * d..][..d];
                memory.advance(t == 0, d, h, None);
                out[(row * time + t) * d..][..d].copy_from_slice(h);
            }
        }
    }
}

fn backward<E: Real>(
    gates: FlexTensor,
    recurrent: FlexTensor,
    dy: FlexTensor,
) -> (FlexTensor, FlexTensor) {
    let shape = gates.shape();
    let [heads, batch, time, width] = shape.dims();
    let d = width / 4;
    let dense = [gates, recurrent, dy].map(Dense::of);
    let [gates, recurrent, dy] = dense.each_ref().map(|dense| dense.slice::<E>());
    let mut dgates = Buffer::<E>::new(&shape);
    let outputs = tasks(dgates.as_mut(), batch, time * width).into_par_iter();
    let partial: Vec<Vec<E>> = outputs
        .enumerate()
        .map(|(task, dgates)| {
            let (first, head) = place(task, batch);
            let rows = dgates.len() / (time * width);
            let gates = &gates[first * time * width..][..rows * time * width];
            let dy = &dy[first * time * d..][..rows * time * d];
            let recurrent = &recurrent[head * d * width..][..d * width];
            let mut drecurrent = vec![E::ZERO; d * width];
            let sizes = [d, time];
            backward_rows(gates, recurrent, dy, sizes, dgates, &mut drecurrent);
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
    )
}

/// Vectors of `D` that a step of a sequence leaves for the backward pass.
const KEPT: usize = 8;

multiversion! {
    fn backward_rows<E>(
        gates: &[E],
        recurrent: &[E],
        dy: &[E],
        sizes: [usize; 2],
        dgates: &mut [E],
        drecurrent: &mut [E],
    ) {
        let [d, time] = sizes;
        let rows = dgates.len() / (time * 4 * d);
        // By row and token: i, f, z, o, σ(-f̃), c, n, h.
        let mut kept = vec![E::ZERO; rows * time * KEPT * d];
        let mut memories: Vec<Memory<E>> = (0..rows).map(|_| Memory::new(d)).collect();
        let mut last = vec![E::ZERO; rows * d];
        for t in 0..time {
            for (row, memory) in memories.iter_mut().enumerate() {
                memory.gates.copy_from_slice(&gates[(row * time + t) * 4 * d..][..4 * d]);
            }
            if t > 0 {
                recur(&mut memories, &last, recurrent, d);
            }
            for (row, memory) in memories.iter_mut().enumerate() {
                let kept = &mut kept[(row * time + t) * KEPT * d..][..KEPT * d];
                let (of_gates, kept) = kept.split_at_mut(4 * d);
                let (slope, kept) = kept.split_at_mut(d);
                let (c, kept) = kept.split_at_mut(d);
                let (n, h) = kept.split_at_mut(d);
                memory.advance(t == 0, d, h, Some(slope));
                of_gates.copy_from_slice(&memory.gates);
                c.copy_from_slice(&memory.c);
                n.copy_from_slice(&memory.n);
                last[row * d..][..d].copy_from_slice(h);
            }
        }
        let mut carried: Vec<[Vec<E>; 3]> = (0..rows)
            .map(|_| [(); 3].map(|()| vec![E::ZERO; d]))
            .collect();
        for t in (0..time).rev() {
            for (row, [dh, dc, dn]) in carried.iter_mut().enumerate() {
                let at = |t: usize| &kept[(row * time + t) * KEPT * d..][..KEPT * d];
                let now = at(t);
                let before = if t > 0 { Some(at(t - 1)) } else { None };
                let dy = &dy[(row * time + t) * d..][..d];
                let out = &mut dgates[(row * time + t) * 4 * d..][..4 * d];
                for k in 0..d {
                    let [i, f, z, o, slope, c, n] =
                        [0, 1, 2, 3, 4, 5, 6].map(|part| now[part * d + k]);
                    let (c_before, n_before) = match before {
                        Some(before) => (before[5 * d + k], before[6 * d + k]),
                        None => (E::ZERO, E::ZERO),
                    };
                    let d_h = dh[k] + dy[k];
                    let ratio = c / n;
                    let of_ratio = d_h * o / n;
                    let d_c = dc[k] + of_ratio;
                    let d_n = dn[k] - of_ratio * ratio;
                    out[k] = (d_c * z + d_n) * i;
                    out[d + k] = (d_c * c_before + d_n * n_before) * f * slope;
                    out[2 * d + k] = d_c * i * (E::ONE - z * z);
                    out[3 * d + k] = d_h * ratio * o * (E::ONE - o);
                    dc[k] = d_c * f;
                    dn[k] = d_n * f;
                }
            }
            if t == 0 {
                break;
            }
            for j in 0..d {
                let weights = &recurrent[j * 4 * d..][..4 * d];
                let sums = &mut drecurrent[j * 4 * d..][..4 * d];
                for (row, [dh, ..]) in carried.iter_mut().enumerate() {
                    let raw = &dgates[(row * time + t) * 4 * d..][..4 * d];
                    dh[j] = reduce(weights, raw, |w, x| w * x);
                    let h = kept[(row * time + t - 1) * KEPT * d + 7 * d + j];
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
        for (heads, batch, time, d) in [(1, 1, 1, 1), (2, 3, 5, 3), (2, 9, 3, 2)] {
            let gates = noise(1, &[heads, batch, time, 4 * d]);
            let recurrent = noise(2, &[heads, d, 4 * d]);
            let dy = noise(3, &[heads, batch, time, d]);
            let found = [forward::<f64>(gates.clone(), recurrent.clone())];
            let expected = [reference::forward::<Flex>(gates.clone(), recurrent.clone())];
            assert_same("forward", &found, &expected);
            let (dgates, dr) = backward::<f64>(gates.clone(), recurrent.clone(), dy.clone());
            let (egates, er) = reference::backward::<Flex>(gates, recurrent, dy);
            assert_same("gradient", &[dgates, dr], &[egates, er]);
        }
    }
}
