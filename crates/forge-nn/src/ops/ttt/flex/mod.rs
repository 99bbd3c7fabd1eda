//! Test-time training on `flex`: one task per sequence and head, whose state stays in the cache.

mod mini_batch;
mod norm;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::inner::Inner;
use super::{TttOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};
use mini_batch::{TokenGradients, Tokens, answer, learn, lessons};
use norm::{Norm, NormGradients};

impl TttOps for Flex {
    fn fused_ttt(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        rates: FlexTensor,
        scales: FlexTensor,
        parameters: FlexTensor,
        hidden: Option<usize>,
    ) -> FlexTensor {
        by_dtype!([&q, &k, &v, &rates, &scales, &parameters], E => {
            forward::<E>([q, k, v, rates, scales, parameters], hidden)
        }, reference::forward::<Self>([q, k, v, rates, scales, parameters], hidden))
    }

    fn fused_ttt_backward(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        rates: FlexTensor,
        scales: FlexTensor,
        parameters: FlexTensor,
        dy: FlexTensor,
        hidden: Option<usize>,
    ) -> (
        FlexTensor,
        FlexTensor,
        FlexTensor,
        FlexTensor,
        FlexTensor,
        FlexTensor,
    ) {
        let [q, k, v, rates, scales, parameters] = by_dtype!(
            [&q, &k, &v, &rates, &scales, &parameters, &dy], E => {
                backward::<E>([q, k, v, rates, scales, parameters], dy, hidden)
            }, reference::backward::<Self>([q, k, v, rates, scales, parameters], dy, hidden));
        (q, k, v, rates, scales, parameters)
    }
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Head<'a, E> {
    tokens: Tokens<'a, E>,
    parameters: &'a [E],
    inner: Inner,
}

impl<'a, E: Real> Head<'a, E> {
    fn norm(self) -> Norm<'a, E> {
        let (weight, bias) = self.parameters[..self.inner.of_norm()].split_at(self.inner.width);
        Norm { weight, bias }
    }

    /// Of the inner model before the first token.
    fn state(self) -> &'a [E] {
        &self.parameters[self.inner.of_norm()..]
    }

    /// Tokens of a mini-batch.
    fn size(self) -> usize {
        self.tokens.scales.len()
    }

    /// From token `start` on.
    fn mini_batch(self, start: usize) -> Tokens<'a, E> {
        let Tokens {
            q,
            k,
            v,
            rates,
            scales,
        } = self.tokens;
        let w = self.inner.width;
        let count = scales.len().min(rates.len() - start);
        let of = |x: &'a [E]| &x[start * w..][..count * w];
        Tokens {
            q: of(q),
            k: of(k),
            v: of(v),
            rates: &rates[start..][..count],
            scales: &scales[..count],
        }
    }
}

/// The inputs as they lie in memory.
struct Inputs {
    dense: [Dense; 6],
    heads: usize,
    time: usize,
    inner: Inner,
}

impl Inputs {
    fn new(inputs: [FlexTensor; 6], hidden: Option<usize>) -> Self {
        let [_, heads, time, width] = inputs[0].shape().dims();
        Self {
            dense: inputs.map(Dense::of),
            heads,
            time,
            inner: Inner { width, hidden },
        }
    }

    /// Numbers of a head's parameters.
    fn parameters<E: Real>(&self) -> usize {
        self.dense[5].slice::<E>().len() / self.heads
    }

    /// By its place in `[B·H]`.
    fn head<'a, E: Real>(&'a self, place: usize) -> Head<'a, E> {
        let [q, k, v, rates, scales, parameters] = self.dense.each_ref().map(Dense::slice::<E>);
        let (of_views, of_parameters) = (self.time * self.inner.width, self.parameters::<E>());
        let part = |x: &'a [E], size: usize| &x[place * size..][..size];
        Head {
            tokens: Tokens {
                q: part(q, of_views),
                k: part(k, of_views),
                v: part(v, of_views),
                rates: part(rates, self.time),
                scales,
            },
            parameters: &parameters[place % self.heads * of_parameters..][..of_parameters],
            inner: self.inner,
        }
    }
}

fn forward<E: Real>(inputs: [FlexTensor; 6], hidden: Option<usize>) -> FlexTensor {
    let shape = inputs[0].shape();
    let inputs = Inputs::new(inputs, hidden);
    let mut out = Buffer::<E>::new(&shape);
    let heads = out
        .as_mut()
        .par_chunks_mut(inputs.time * inputs.inner.width);
    heads
        .enumerate()
        .for_each(|(place, out)| forward_head(inputs.head::<E>(place), out));
    out.into_tensor(shape)
}

multiversion! {
    fn forward_head<E>(head: Head<'_, E>, out: &mut [E]) {
        let (layers, norm, size) = (head.inner.layers(), head.norm(), head.size());
        let mut state = head.state().to_vec();
        for (i, out) in out.chunks_mut(size * head.inner.width).enumerate() {
            let tokens = head.mini_batch(i * size);
            let lessons = lessons(&layers, &state, norm, tokens);
            answer(&layers, &state, norm, &lessons, tokens, out);
            // Nobody asks after the last ones.
            if (i + 1) * size < head.tokens.rates.len() {
                learn(&layers, &mut state, &lessons, tokens);
            }
        }
    }
}

/// Where a head's gradients go.
struct HeadGradients<'a, E> {
    tokens: TokenGradients<'a, E>,
    parameters: &'a mut [E],
}

fn backward<E: Real>(
    inputs: [FlexTensor; 6],
    dy: FlexTensor,
    hidden: Option<usize>,
) -> [FlexTensor; 6] {
    let shapes = inputs.each_ref().map(TensorMetadata::shape);
    let inputs = Inputs::new(inputs, hidden);
    let (time, heads, parameters) = (inputs.time, inputs.heads, inputs.parameters::<E>());
    let of_views = time * inputs.inner.width;
    let (dy, scales) = (Dense::of(dy), shapes[4][0]);
    let dy = dy.slice::<E>();
    let [mut dq, mut dk, mut dv, mut drates] =
        [0, 1, 2, 3].map(|input| Buffer::<E>::new(&shapes[input]));
    let tasks = dq
        .as_mut()
        .par_chunks_mut(of_views)
        .zip(dk.as_mut().par_chunks_mut(of_views))
        .zip(dv.as_mut().par_chunks_mut(of_views))
        .zip(drates.as_mut().par_chunks_mut(time));
    let partial: Vec<[Vec<E>; 2]> = tasks
        .enumerate()
        .map(|(place, (((q, k), v), rates))| {
            let mut sums = [scales, parameters].map(|size| vec![E::ZERO; size]);
            let [scales, parameters] = &mut sums;
            let out = HeadGradients {
                tokens: TokenGradients {
                    q,
                    k,
                    v,
                    rates,
                    scales,
                },
                parameters,
            };
            let dy = &dy[place * of_views..][..of_views];
            backward_head(inputs.head::<E>(place), dy, out);
            sums
        })
        .collect();
    let mut dscales = Buffer::<E>::zeros(&shapes[4]);
    let mut dparameters = Buffer::<E>::zeros(&shapes[5]);
    for (place, [of_scales, of_parameters]) in partial.into_iter().enumerate() {
        let head = &mut dparameters.as_mut()[place % heads * parameters..][..parameters];
        let sums = head.iter_mut().zip(of_parameters);
        let sums = sums.chain(dscales.as_mut().iter_mut().zip(of_scales));
        sums.for_each(|(sum, x)| *sum += x);
    }
    let [q, k, v, rates, scales, parameters] = shapes;
    [
        dq.into_tensor(q),
        dk.into_tensor(k),
        dv.into_tensor(v),
        drates.into_tensor(rates),
        dscales.into_tensor(scales),
        dparameters.into_tensor(parameters),
    ]
}

multiversion! {
    fn backward_head<E>(head: Head<'_, E>, dy: &[E], out: HeadGradients<'_, E>) {
        let (layers, norm, size) = (head.inner.layers(), head.norm(), head.size());
        let (w, time) = (head.inner.width, head.tokens.rates.len());
        // The state before each mini-batch, and what was learned in it.
        let numbers = head.state().len();
        let mut states = Buffer::<E>::new(&[time.div_ceil(size), numbers]);
        let states = states.as_mut();
        states[..numbers].copy_from_slice(head.state());
        let mut seen = vec![];
        for (i, start) in (0..time).step_by(size).enumerate() {
            let tokens = head.mini_batch(start);
            let (before, after) = states.split_at_mut((i + 1) * numbers);
            let before = &before[i * numbers..];
            let lessons = lessons(&layers, before, norm, tokens);
            if let Some(after) = after.get_mut(..numbers) {
                after.copy_from_slice(before);
                learn(&layers, after, &lessons, tokens);
            }
            seen.push((start, lessons));
        }
        let (of_norm, dstate) = out.parameters.split_at_mut(head.inner.of_norm());
        let (weight, bias) = of_norm.split_at_mut(w);
        let mut dnorm = NormGradients { weight, bias };
        for (i, (start, lessons)) in seen.into_iter().enumerate().rev() {
            let tokens = head.mini_batch(start);
            let here = start * w..start * w + tokens.q.len();
            let gradients = TokenGradients {
                q: &mut out.tokens.q[here.clone()],
                k: &mut out.tokens.k[here.clone()],
                v: &mut out.tokens.v[here.clone()],
                rates: &mut out.tokens.rates[start..][..tokens.rates.len()],
                scales: &mut *out.tokens.scales,
            };
            let state = &states[i * numbers..][..numbers];
            mini_batch::backward(
                &layers, state, norm, &lessons, tokens, &dy[here], dstate, &mut dnorm, gradients,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (batch, heads, time, width, size, hidden) in [
            (1, 1, 1, 1, 1, None),
            (2, 3, 7, 4, 3, None),
            (2, 2, 9, 5, 4, Some(7)),
            (1, 1, 3, 2, 5, Some(1)),
        ] {
            let inner = Inner { width, hidden };
            let parameters = inner.parameters().expect("small");
            let inputs = || {
                [
                    noise(1, &[batch, heads, time, width]),
                    noise(2, &[batch, heads, time, width]),
                    noise(3, &[batch, heads, time, width]),
                    noise(4, &[batch, heads, time]),
                    noise(5, &[size]),
                    noise(6, &[heads, parameters]),
                ]
            };
            let expected = reference::forward::<Flex>(inputs(), hidden);
            assert_same("forward", &[forward::<f64>(inputs(), hidden)], &[expected]);
            let dy = noise(7, &[batch, heads, time, width]);
            let expected = reference::backward::<Flex>(inputs(), dy.clone(), hidden);
            assert_same(
                "gradient",
                &backward::<f64>(inputs(), dy, hidden),
                &expected,
            );
        }
    }
}
