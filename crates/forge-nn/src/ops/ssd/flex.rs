//! The recurrence on `flex`: one task per sequence and head, products of matrices within a chunk.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, Shape, TensorMetadata};
use rayon::prelude::*;

use super::{CHUNK, SsdOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::in_place::{scale_rows, times};
use crate::ops::flex::product::Side::{Plain, Transposed};
use crate::ops::flex::product::Update::{Add, Set};
use crate::ops::flex::product::multiply;
use crate::ops::flex::row::reduce;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

impl SsdOps for Flex {
    fn fused_ssd(x: FlexTensor, log_decay: FlexTensor, b: FlexTensor, c: FlexTensor) -> FlexTensor {
        by_dtype!([&x, &log_decay, &b, &c], E => {
            forward::<E>(x, log_decay, b, c)
        }, reference::forward::<Self>(x, log_decay, b, c))
    }

    fn fused_ssd_backward(
        x: FlexTensor,
        log_decay: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &log_decay, &b, &c, &dy], E => {
            backward::<E>(x, log_decay, b, c, dy)
        }, reference::backward::<Self>(x, log_decay, b, c, dy))
    }
}

/// The sizes of a call.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    heads: usize,
    groups: usize,
    time: usize,
    /// Width of x.
    p: usize,
    /// Width of b and c.
    n: usize,
}

impl Sizes {
    fn of(x: &FlexTensor, b: &FlexTensor) -> Self {
        let ([batch, heads, time, p], [_, groups, _, n]) = (x.shape().dims(), b.shape().dims());
        Self {
            batch,
            heads,
            groups,
            time,
            p,
            n,
        }
    }

    /// The part of `values`, `width` wide per token, of the head of a task.
    fn head<E>(self, values: &[E], task: usize, width: usize) -> &[E] {
        &values[task * self.time * width..][..self.time * width]
    }

    /// The same of the head's group.
    fn group<E>(self, values: &[E], task: usize, width: usize) -> &[E] {
        let (batch, head) = (task / self.heads, task % self.heads);
        let group = batch * self.groups + head / (self.heads / self.groups);
        &values[group * self.time * width..][..self.time * width]
    }
}

fn forward<E: Real>(
    x: FlexTensor,
    log_decay: FlexTensor,
    b: FlexTensor,
    c: FlexTensor,
) -> FlexTensor {
    let (shape, sizes) = (x.shape(), Sizes::of(&x, &b));
    let [x, log_decay, b, c] = [x, log_decay, b, c].map(Dense::of);
    let [x, log_decay, b, c] = [&x, &log_decay, &b, &c].map(|dense| dense.slice::<E>());
    let mut y = Buffer::<E>::new(&[x.len()]);
    let heads = y.as_mut().par_chunks_mut(sizes.time * sizes.p);
    heads.enumerate().for_each(|(task, y)| {
        let head = Head {
            x: sizes.head(x, task, sizes.p),
            log_decay: sizes.head(log_decay, task, 1),
            b: sizes.group(b, task, sizes.n),
            c: sizes.group(c, task, sizes.n),
            p: sizes.p,
            n: sizes.n,
        };
        forward_head(head, y);
    });
    y.into_tensor(shape)
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Head<'a, E> {
    x: &'a [E],
    log_decay: &'a [E],
    b: &'a [E],
    c: &'a [E],
    p: usize,
    n: usize,
}

impl<'a, E> Head<'a, E> {
    /// The tokens from `start` on, `q` of them.
    fn chunk(self, start: usize, q: usize) -> Self {
        Self {
            x: &self.x[start * self.p..][..q * self.p],
            log_decay: &self.log_decay[start..][..q],
            b: &self.b[start * self.n..][..q * self.n],
            c: &self.c[start * self.n..][..q * self.n],
            ..self
        }
    }
}

/// The decays of a chunk.
struct Decays<E> {
    /// What is left at token t of what came in at token s, `[q, q]`.
    pairs: Vec<E>,
    /// What is left at each token of the state before the chunk.
    from_start: Vec<E>,
    /// What is left at the end of what came in at each token.
    to_end: Vec<E>,
    /// What the whole chunk leaves.
    total: E,
}

impl<E: Real> Decays<E> {
    #[inline(always)]
    fn of(log_decay: &[E]) -> Self {
        let q = log_decay.len();
        let mut pairs = vec![E::ZERO; q * q];
        let mut from_start = vec![E::ZERO; q];
        let mut left = E::ONE;
        for (t, &log) in log_decay.iter().enumerate() {
            let factor = log.exp();
            left *= factor;
            from_start[t] = left;
            let (above, row) = pairs.split_at_mut(t * q);
            if t > 0 {
                let above = &above[(t - 1) * q..][..t];
                for (pair, &above) in row[..t].iter_mut().zip(above) {
                    *pair = above * factor;
                }
            }
            row[t] = E::ONE;
        }
        Self {
            to_end: pairs[(q - 1) * q..].to_vec(),
            total: left,
            pairs,
            from_start,
        }
    }
}

/// Each row of `x` times its factor.
#[inline(always)]
fn scaled<E: Real>(x: &[E], factors: &[E]) -> Vec<E> {
    let mut out = x.to_vec();
    scale_rows(&mut out, factors);
    out
}

multiversion! {
    fn forward_head<E>(head: Head<'_, E>, y: &mut [E]) {
        let (p, n) = (head.p, head.n);
        let mut state = vec![E::ZERO; n * p];
        for (k, y) in y.chunks_mut(CHUNK * p).enumerate() {
            let q = y.len() / p;
            let chunk = head.chunk(k * CHUNK, q);
            let decays = Decays::of(chunk.log_decay);
            let mut pairs = vec![E::ZERO; q * q];
            multiply([q, n, q], &mut pairs, (chunk.c, Plain), (chunk.b, Transposed), Set);
            times(&mut pairs, &decays.pairs);
            multiply([q, q, p], y, (&pairs[..], Plain), (chunk.x, Plain), Set);
            let c = scaled(chunk.c, &decays.from_start);
            multiply([q, n, p], y, (&c[..], Plain), (&state[..], Plain), Add);
            advance(&mut state, chunk, &decays);
        }
    }
}

/// The state before a chunk becomes the one after it.
#[inline(always)]
fn advance<E: Real>(state: &mut [E], chunk: Head<'_, E>, decays: &Decays<E>) {
    let q = chunk.log_decay.len();
    state.iter_mut().for_each(|s| *s *= decays.total);
    let b = scaled(chunk.b, &decays.to_end);
    let sizes = [chunk.n, q, chunk.p];
    multiply(sizes, state, (&b[..], Transposed), (chunk.x, Plain), Add);
}

/// Where a head's gradients go.
struct HeadGradients<'a, E> {
    x: &'a mut [E],
    log_decay: &'a mut [E],
    b: &'a mut [E],
    c: &'a mut [E],
}

fn backward<E: Real>(
    x: FlexTensor,
    log_decay: FlexTensor,
    b: FlexTensor,
    c: FlexTensor,
    dy: FlexTensor,
) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
    let (shape, sizes) = (x.shape(), Sizes::of(&x, &b));
    let Sizes {
        batch,
        heads,
        groups,
        time,
        p,
        n,
    } = sizes;
    let [x, log_decay, b, c, dy] = [x, log_decay, b, c, dy].map(Dense::of);
    let [x, log_decay, b, c, dy] = [&x, &log_decay, &b, &c, &dy].map(|dense| dense.slice::<E>());
    let mut dx = Buffer::<E>::new(&shape);
    let mut dlog_decay = Buffer::<E>::new(&[batch, heads, time]);
    let mut db = Buffer::<E>::new(&[batch, heads, time, n]);
    let mut dc = Buffer::<E>::new(&[batch, heads, time, n]);
    let tasks = dx
        .as_mut()
        .par_chunks_mut(time * p)
        .zip(dlog_decay.as_mut().par_chunks_mut(time))
        .zip(db.as_mut().par_chunks_mut(time * n))
        .zip(dc.as_mut().par_chunks_mut(time * n));
    tasks
        .enumerate()
        .for_each(|(task, (((dx, dlog_decay), db), dc))| {
            let head = Head {
                x: sizes.head(x, task, p),
                log_decay: sizes.head(log_decay, task, 1),
                b: sizes.group(b, task, n),
                c: sizes.group(c, task, n),
                p,
                n,
            };
            let gradients = HeadGradients {
                x: dx,
                log_decay: dlog_decay,
                b: db,
                c: dc,
            };
            backward_head(head, sizes.head(dy, task, p), gradients);
        });
    let per_group = |gradient: Buffer<E>| -> FlexTensor {
        let each: Shape = [batch, groups, heads / groups, time * n].into();
        let gradient = gradient.into_tensor(each);
        let sum = match heads == groups {
            true => gradient,
            false => <Flex as burn::backend::ops::FloatTensorOps<Flex>>::float_sum_dim(gradient, 2),
        };
        <Flex as burn::backend::ops::FloatTensorOps<Flex>>::float_reshape(
            sum,
            [batch, groups, time, n].into(),
        )
    };
    (
        dx.into_tensor(shape),
        dlog_decay.into_tensor([batch, heads, time]),
        per_group(db),
        per_group(dc),
    )
}

multiversion! {
    fn backward_head<E>(head: Head<'_, E>, dy: &[E], out: HeadGradients<'_, E>) {
        let (p, n) = (head.p, head.n);
        let time = head.log_decay.len();
        let chunks = time.div_ceil(CHUNK);
        let length = |k: usize| CHUNK.min(time - k * CHUNK);
        // The state before each chunk.
        let mut states = vec![E::ZERO; chunks * n * p];
        for k in 1..chunks {
            let chunk = head.chunk((k - 1) * CHUNK, CHUNK);
            let (before, after) = states.split_at_mut(k * n * p);
            let after = &mut after[..n * p];
            after.copy_from_slice(&before[(k - 1) * n * p..]);
            advance(after, chunk, &Decays::of(chunk.log_decay));
        }
        // The gradient of the state after the chunk.
        let mut dstate = vec![E::ZERO; n * p];
        for k in (0..chunks).rev() {
            let (start, q) = (k * CHUNK, length(k));
            let chunk = head.chunk(start, q);
            let dy = &dy[start * p..][..q * p];
            let state = &states[k * n * p..][..n * p];
            let dx = &mut out.x[start * p..][..q * p];
            let db = &mut out.b[start * n..][..q * n];
            let dc = &mut out.c[start * n..][..q * n];
            let decays = Decays::of(chunk.log_decay);

            let mut pairs = vec![E::ZERO; q * q];
            multiply([q, n, q], &mut pairs, (chunk.c, Plain), (chunk.b, Transposed), Set);
            times(&mut pairs, &decays.pairs);
            let mut dpairs = vec![E::ZERO; q * q];
            multiply([q, p, q], &mut dpairs, (dy, Plain), (chunk.x, Transposed), Set);
            // What each pair of tokens has to do with the decays between them.
            let mut between = pairs.clone();
            times(&mut between, &dpairs);
            times(&mut dpairs, &decays.pairs);

            multiply([q, q, p], dx, (&pairs[..], Transposed), (dy, Plain), Set);
            let b = scaled(chunk.b, &decays.to_end);
            multiply([q, n, p], dx, (&b[..], Plain), (&dstate[..], Plain), Add);

            // First what comes from the state before the chunk alone, for the decays.
            multiply([q, p, n], dc, (dy, Plain), (state, Transposed), Set);
            scale_rows(dc, &decays.from_start);
            let from_start: Vec<E> = rows(chunk.c, dc, n);
            multiply([q, q, n], dc, (&dpairs[..], Plain), (chunk.b, Plain), Add);

            multiply([q, p, n], db, (chunk.x, Plain), (&dstate[..], Transposed), Set);
            scale_rows(db, &decays.to_end);
            let to_end: Vec<E> = rows(chunk.b, db, n);
            multiply([q, q, n], db, (&dpairs[..], Transposed), (chunk.c, Plain), Add);

            let whole = reduce(&dstate, state, |d, s| d * s) * decays.total;
            let dlog_decay = &mut out.log_decay[start..][..q];
            of_decays(dlog_decay, &between, &from_start, &to_end, whole);

            dstate.iter_mut().for_each(|d| *d *= decays.total);
            let c = scaled(chunk.c, &decays.from_start);
            multiply([n, q, p], &mut dstate, (&c[..], Transposed), (dy, Plain), Add);
        }
    }
}

/// The products of equal rows.
#[inline(always)]
fn rows<E: Real>(a: &[E], b: &[E], width: usize) -> Vec<E> {
    let rows = a.chunks_exact(width).zip(b.chunks_exact(width));
    rows.map(|(a, b)| reduce(a, b, |a, b| a * b)).collect()
}

/// The gradient of a token's log decay: all that goes from before it to it or later. `between` has what
/// goes from token to token of the chunk, the others what comes from the state before it and what
/// goes to that behind it, and `whole` what passes from one to the other.
#[inline(always)]
fn of_decays<E: Real>(out: &mut [E], between: &[E], from_start: &[E], to_end: &[E], whole: E) {
    let q = out.len();
    // To tokens from r on, from each token.
    let mut from = vec![E::ZERO; q];
    let mut later = E::ZERO;
    for r in (0..q).rev() {
        let row = &between[r * q..][..q];
        from[..r]
            .iter_mut()
            .zip(row)
            .for_each(|(sum, &x)| *sum += x);
        later += from_start[r];
        out[r] = reduce(&from[..r], &from[..r], |x, _| x) + later + whole;
    }
    let mut earlier = E::ZERO;
    for (out, &to_end) in out.iter_mut().zip(to_end) {
        *out += earlier;
        earlier += to_end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (heads, groups, time) in [(1, 1, 1), (4, 2, 7), (2, 1, 129)] {
            let (x, decay) = (noise(1, &[2, heads, time, 3]), noise(2, &[2, heads, time]));
            let [b, c] = [3, 4].map(|seed| noise(seed, &[2, groups, time, 5]));
            let dy = noise(5, &[2, heads, time, 3]);
            let forward = [Flex::fused_ssd(
                x.clone(),
                decay.clone(),
                b.clone(),
                c.clone(),
            )];
            let expected =
                reference::forward::<Flex>(x.clone(), decay.clone(), b.clone(), c.clone());
            assert_same("forward", &forward, &[expected]);
            let (dx, ddecay, db, dc) =
                backward::<f64>(x.clone(), decay.clone(), b.clone(), c.clone(), dy.clone());
            let (ex, edecay, eb, ec) = reference::backward::<Flex>(x, decay, b, c, dy);
            assert_same("gradient", &[dx, ddecay, db, dc], &[ex, edecay, eb, ec]);
        }
    }
}
