//! The recurrence on `flex`: one task per sequence and head, products of matrices within a chunk.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::reference::{self, Gradients};
use super::{CHUNK, SsdOps};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::heads::{HeadOut, HeadsOut};
use crate::ops::flex::in_place::{add, scale_rows, times};
use crate::ops::flex::product::Side::{Plain, Transposed};
use crate::ops::flex::product::Update::{Add, Set};
use crate::ops::flex::product::multiply;
use crate::ops::flex::row::reduce;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, Rows, by_dtype};
use crate::ops::optional::OptionalFloat;

impl SsdOps for Flex {
    fn fused_ssd(
        x: FlexTensor,
        gain: FlexTensor,
        log_decay: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
        skip: OptionalFloat<Self>,
    ) -> FlexTensor {
        let skip = skip.into_option();
        let known = skip.as_ref().unwrap_or(&gain);
        by_dtype!([&x, &gain, &log_decay, &b, &c, known], E => {
            forward::<E>(Inputs::of(x, gain, log_decay, b, c, skip))
        }, reference::forward::<Self>(x, gain, log_decay, b, c, skip))
    }

    fn fused_ssd_backward(
        x: FlexTensor,
        gain: FlexTensor,
        log_decay: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
        skip: OptionalFloat<Self>,
        dy: FlexTensor,
    ) -> Gradients<Self> {
        let skip = skip.into_option();
        let known = skip.as_ref().unwrap_or(&gain);
        by_dtype!([&x, &gain, &log_decay, &b, &c, known, &dy], E => {
            backward::<E>(Inputs::of(x, gain, log_decay, b, c, skip), dy)
        }, reference::backward::<Self>(x, gain, log_decay, b, c, skip, dy))
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

/// What a call is given.
struct Inputs {
    sizes: Sizes,
    x: Rows,
    gain: Dense,
    log_decay: Dense,
    b: Dense,
    c: Dense,
    skip: Option<Dense>,
}

impl Inputs {
    fn of(
        x: FlexTensor,
        gain: FlexTensor,
        log_decay: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
        skip: Option<FlexTensor>,
    ) -> Self {
        let ([batch, heads, time, p], [_, groups, _, n]) = (x.shape().dims(), b.shape().dims());
        let [gain, log_decay, b, c] = [gain, log_decay, b, c].map(Dense::of);
        Self {
            sizes: Sizes {
                batch,
                heads,
                groups,
                time,
                p,
                n,
            },
            x: Rows::of(x),
            gain,
            log_decay,
            b,
            c,
            skip: skip.map(Dense::of),
        }
    }

    fn head<E: Real>(&self, batch: usize, head: usize) -> Head<'_, E> {
        let Sizes {
            heads,
            groups,
            time,
            p,
            n,
            ..
        } = self.sizes;
        let (own, group) = (
            batch * heads + head,
            batch * groups + head / (heads / groups),
        );
        Head {
            x: &self.x,
            first: own * time,
            gain: &self.gain.slice()[own * time..][..time],
            log_decay: &self.log_decay.slice()[own * time..][..time],
            b: &self.b.slice()[group * time * n..][..time * n],
            c: &self.c.slice()[group * time * n..][..time * n],
            skip: self
                .skip
                .as_ref()
                .map_or(E::ZERO, |skip| skip.slice()[head]),
            p,
            n,
        }
    }
}

fn forward<E: Real>(inputs: Inputs) -> FlexTensor {
    let Sizes {
        batch,
        heads,
        time,
        p,
        ..
    } = inputs.sizes;
    let mut y = Buffer::<E>::new(&[batch, time, heads, p]);
    let out = HeadsOut::new(y.as_mut(), [heads, time, p]);
    (0..batch * heads).into_par_iter().for_each(|task| {
        let (batch, head) = (task / heads, task % heads);
        // SAFETY: each head of each sequence is one task.
        let out = unsafe { out.head(batch, head) };
        forward_head::<E>(inputs.head(batch, head), out);
    });
    y.into_heads([batch, heads, time, p])
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Head<'a, E> {
    x: &'a Rows,
    /// Its first token among those of all heads.
    first: usize,
    gain: &'a [E],
    log_decay: &'a [E],
    b: &'a [E],
    c: &'a [E],
    skip: E,
    p: usize,
    n: usize,
}

/// Some tokens of a head.
struct Chunk<'a, E> {
    x: Vec<E>,
    gain: &'a [E],
    /// What enters the state: `gain · x`.
    input: Vec<E>,
    log_decay: &'a [E],
    b: &'a [E],
    c: &'a [E],
    p: usize,
    n: usize,
}

impl<'a, E: Real> Head<'a, E> {
    /// The tokens from `start` on, `q` of them.
    #[inline(always)]
    fn chunk(self, start: usize, q: usize) -> Chunk<'a, E> {
        let (x, gain) = (
            self.x.gather(self.first + start, q),
            &self.gain[start..][..q],
        );
        Chunk {
            input: scaled(&x, gain),
            x,
            gain,
            log_decay: &self.log_decay[start..][..q],
            b: &self.b[start * self.n..][..q * self.n],
            c: &self.c[start * self.n..][..q * self.n],
            p: self.p,
            n: self.n,
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
    fn forward_head<E>(head: Head<'_, E>, out: HeadOut<'_, E>) {
        let (p, n, mut out) = (head.p, head.n, out);
        let time = head.log_decay.len();
        let mut state = Buffer::<E>::zeros(&[n, p]);
        let state = state.as_mut();
        let mut y = vec![E::ZERO; CHUNK.min(time) * p];
        for start in (0..time).step_by(CHUNK) {
            let q = CHUNK.min(time - start);
            let (chunk, y) = (head.chunk(start, q), &mut y[..q * p]);
            let decays = Decays::of(chunk.log_decay);
            let mut pairs = vec![E::ZERO; q * q];
            multiply([q, n, q], &mut pairs, (chunk.c, Plain), (chunk.b, Transposed), Set);
            times(&mut pairs, &decays.pairs);
            multiply([q, q, p], y, (&pairs[..], Plain), (&chunk.input[..], Plain), Set);
            let c = scaled(chunk.c, &decays.from_start);
            multiply([q, n, p], y, (&c[..], Plain), (&*state, Plain), Add);
            for (y, &x) in y.iter_mut().zip(&chunk.x) {
                *y += head.skip * x;
            }
            out.store(start, y);
            advance(state, &chunk, &decays);
        }
    }
}

/// The state before a chunk becomes the one after it.
#[inline(always)]
fn advance<E: Real>(state: &mut [E], chunk: &Chunk<'_, E>, decays: &Decays<E>) {
    let q = chunk.log_decay.len();
    state.iter_mut().for_each(|s| *s *= decays.total);
    let b = scaled(chunk.b, &decays.to_end);
    let sizes = [chunk.n, q, chunk.p];
    multiply(
        sizes,
        state,
        (&b[..], Transposed),
        (&chunk.input[..], Plain),
        Add,
    );
}

/// Where the gradients of one head go, and those of b and c of all heads of the same part of a group.
struct HeadGradients<'a, E> {
    x: HeadOut<'a, E>,
    gain: &'a mut [E],
    log_decay: &'a mut [E],
    skip: &'a mut E,
    /// Added to.
    b: &'a mut [E],
    /// Added to.
    c: &'a mut [E],
}

/// Parts of the heads of a group, one task each with its own sums of the group's gradients: enough for
/// the threads of most machines, and each of some heads. They follow from the shape alone.
fn parts(sizes: Sizes) -> usize {
    const TASKS: usize = 16;
    let sharing = sizes.heads / sizes.groups;
    let wanted = TASKS.div_ceil(sizes.batch * sizes.groups).min(sharing);
    // Equal ones.
    (wanted..=sharing)
        .find(|&parts| sharing.is_multiple_of(parts))
        .unwrap_or(sharing)
}

fn backward<E: Real>(inputs: Inputs, dy: FlexTensor) -> Gradients<Flex> {
    let sizes = inputs.sizes;
    let Sizes {
        batch,
        heads,
        groups,
        time,
        p,
        n,
    } = sizes;
    let dy = Rows::of(dy);
    let mut dx = Buffer::<E>::new(&[batch, time, heads, p]);
    let mut dgain = Buffer::<E>::new(&[batch, heads, time]);
    let mut dlog_decay = Buffer::<E>::new(&[batch, heads, time]);
    let mut dskips = vec![E::ZERO; batch * heads];
    let parts = parts(sizes);
    let each = heads / (groups * parts);
    let mut db = Buffer::<E>::zeros(&[batch, groups, parts, time, n]);
    let mut dc = Buffer::<E>::zeros(&[batch, groups, parts, time, n]);
    let dx_out = HeadsOut::new(dx.as_mut(), [heads, time, p]);
    let tasks = dskips
        .par_chunks_mut(each)
        .zip(dgain.as_mut().par_chunks_mut(each * time))
        .zip(dlog_decay.as_mut().par_chunks_mut(each * time))
        .zip(db.as_mut().par_chunks_mut(time * n))
        .zip(dc.as_mut().par_chunks_mut(time * n));
    tasks
        .enumerate()
        .for_each(|(task, ((((dskips, dgains), dlog_decays), db), dc))| {
            let of_heads = dgains.chunks_mut(time).zip(dlog_decays.chunks_mut(time));
            for (i, (skip, (gain, log_decay))) in dskips.iter_mut().zip(of_heads).enumerate() {
                let (batch, head) = ((task * each + i) / heads, (task * each + i) % heads);
                let gradients = HeadGradients {
                    // SAFETY: each head of each sequence belongs to one task.
                    x: unsafe { dx_out.head(batch, head) },
                    gain,
                    log_decay,
                    skip,
                    b: db,
                    c: dc,
                };
                backward_head::<E>(inputs.head(batch, head), &dy, gradients);
            }
        });
    let per_group = |gradient: Buffer<E>| -> FlexTensor {
        let gradient = gradient.into_tensor([batch, groups, parts, time * n]);
        let sum = match parts {
            1 => gradient,
            _ => Flex::float_sum_dim(gradient, 2),
        };
        Flex::float_reshape(sum, [batch, groups, time, n].into())
    };
    let mut dskip = Buffer::<E>::zeros(&[heads]);
    for of_sequence in dskips.chunks_exact(heads) {
        add(dskip.as_mut(), of_sequence);
    }
    (
        dx.into_heads([batch, heads, time, p]),
        dgain.into_tensor([batch, heads, time]),
        dlog_decay.into_tensor([batch, heads, time]),
        per_group(db),
        per_group(dc),
        dskip.into_tensor([heads]),
    )
}

multiversion! {
    fn backward_head<E>(head: Head<'_, E>, dy: &Rows, out: HeadGradients<'_, E>) {
        let (p, n, mut out) = (head.p, head.n, out);
        let time = head.log_decay.len();
        let chunks = time.div_ceil(CHUNK);
        let length = |k: usize| CHUNK.min(time - k * CHUNK);
        // The state before each chunk. Megabytes where heads are wide, which would be fresh pages each time.
        let mut states = Buffer::<E>::new(&[chunks, n, p]);
        let states = states.as_mut();
        states[..n * p].fill(E::ZERO);
        for k in 1..chunks {
            let chunk = head.chunk((k - 1) * CHUNK, CHUNK);
            let (before, after) = states.split_at_mut(k * n * p);
            let after = &mut after[..n * p];
            after.copy_from_slice(&before[(k - 1) * n * p..]);
            advance(after, &chunk, &Decays::of(chunk.log_decay));
        }
        // The gradient of the state after the chunk.
        let mut dstate = Buffer::<E>::zeros(&[n, p]);
        let dstate = dstate.as_mut();
        for k in (0..chunks).rev() {
            let (start, q) = (k * CHUNK, length(k));
            let chunk = head.chunk(start, q);
            let input = (&chunk.input[..], Plain);
            let dy: Vec<E> = dy.gather(head.first + start, q);
            let state = &states[k * n * p..][..n * p];
            let decays = Decays::of(chunk.log_decay);

            let mut pairs = vec![E::ZERO; q * q];
            multiply([q, n, q], &mut pairs, (chunk.c, Plain), (chunk.b, Transposed), Set);
            times(&mut pairs, &decays.pairs);
            let mut dpairs = vec![E::ZERO; q * q];
            let columns = (&chunk.input[..], Transposed);
            multiply([q, p, q], &mut dpairs, (&dy[..], Plain), columns, Set);
            // What each pair of tokens has to do with the decays between them.
            let mut between = pairs.clone();
            times(&mut between, &dpairs);
            times(&mut dpairs, &decays.pairs);

            // First of what enters the state.
            let mut dx = vec![E::ZERO; q * p];
            multiply([q, q, p], &mut dx, (&pairs[..], Transposed), (&dy[..], Plain), Set);
            let b = scaled(chunk.b, &decays.to_end);
            multiply([q, n, p], &mut dx, (&b[..], Plain), (&*dstate, Plain), Add);
            out.gain[start..][..q].copy_from_slice(&rows(&chunk.x, &dx, p));
            scale_rows(&mut dx, chunk.gain);
            for (dx, &dy) in dx.iter_mut().zip(&dy) {
                *dx += head.skip * dy;
            }
            *out.skip += reduce(&dy, &chunk.x, |dy, x| dy * x);
            out.x.store(start, &dx);

            // First what comes from the state before the chunk alone, for the decays.
            let mut dc = vec![E::ZERO; q * n];
            multiply([q, p, n], &mut dc, (&dy[..], Plain), (state, Transposed), Set);
            scale_rows(&mut dc, &decays.from_start);
            let from_start: Vec<E> = rows(chunk.c, &dc, n);
            multiply([q, q, n], &mut dc, (&dpairs[..], Plain), (chunk.b, Plain), Add);
            add(&mut out.c[start * n..][..q * n], &dc);

            let mut db = vec![E::ZERO; q * n];
            multiply([q, p, n], &mut db, input, (&*dstate, Transposed), Set);
            scale_rows(&mut db, &decays.to_end);
            let to_end: Vec<E> = rows(chunk.b, &db, n);
            multiply([q, q, n], &mut db, (&dpairs[..], Transposed), (chunk.c, Plain), Add);
            add(&mut out.b[start * n..][..q * n], &db);

            let whole = reduce(dstate, state, |d, s| d * s) * decays.total;
            let dlog_decay = &mut out.log_decay[start..][..q];
            of_decays(dlog_decay, &between, &from_start, &to_end, whole);

            dstate.iter_mut().for_each(|d| *d *= decays.total);
            let c = scaled(chunk.c, &decays.from_start);
            multiply([n, q, p], dstate, (&c[..], Transposed), (&dy[..], Plain), Add);
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
        for (heads, groups, time) in [(1, 1, 1), (4, 2, 7), (2, 1, 129), (40, 2, 3)] {
            for skips in [false, true] {
                let x = noise(1, &[2, heads, time, 3]);
                let [gain, decay] = [2, 3].map(|seed| noise(seed, &[2, heads, time]));
                let [b, c] = [4, 5].map(|seed| noise(seed, &[2, groups, time, 5]));
                let skip = skips.then(|| noise(6, &[heads]));
                let dy = noise(7, &[2, heads, time, 3]);
                let given = || {
                    let each = [&gain, &decay, &b, &c].map(Clone::clone);
                    (x.clone(), each, skip.clone())
                };
                let (x, [gain, decay, b, c], skip) = given();
                let inputs = Inputs::of(x, gain, decay, b, c, skip);
                let found = forward::<f64>(inputs);
                let (x, [gain, decay, b, c], skip) = given();
                let expected = reference::forward::<Flex>(x, gain, decay, b, c, skip);
                assert_same("forward", &[found], &[expected]);
                let (x, [gain, decay, b, c], skip) = given();
                let inputs = Inputs::of(x, gain, decay, b, c, skip);
                let found = backward::<f64>(inputs, dy.clone());
                let (x, [gain, decay, b, c], skip) = given();
                let expected = reference::backward::<Flex>(x, gain, decay, b, c, skip, dy);
                assert_same("gradient", &all(found), &all(expected));
            }
        }
    }

    fn all((x, gain, log_decay, b, c, skip): Gradients<Flex>) -> [FlexTensor; 6] {
        [x, gain, log_decay, b, c, skip]
    }
}
