//! The rotation on `flex`: one pass, over heads where they lie.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{RotaryLayout, RotaryOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{for_rows, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, with_adjacent_features};

impl RotaryOps for Flex {
    fn fused_rotary(
        x: FlexTensor,
        cos: FlexTensor,
        sin: FlexTensor,
        layout: RotaryLayout,
    ) -> FlexTensor {
        by_dtype!([&x, &cos, &sin], E => {
            turned::<E>(x, cos, sin, layout)
        }, reference::forward::<Self>(x, cos, sin, layout))
    }
}

/// Where the heads are.
#[derive(Clone, Copy)]
struct Place {
    heads: usize,
    time: usize,
    width: usize,
    pairs: usize,
    /// From one sequence, head and position to the next.
    strides: [usize; 3],
}

/// The result is stored as `[B, T, H, D]`, as attention does: that is how the projections before have it.
fn turned<E: Real>(
    x: FlexTensor,
    cos: FlexTensor,
    sin: FlexTensor,
    layout: RotaryLayout,
) -> FlexTensor {
    let [batch, heads, time, width] = x.shape().dims();
    let x = with_adjacent_features(x);
    let strides = x.layout().strides();
    let place = Place {
        heads,
        time,
        width,
        pairs: cos.shape()[1],
        strides: [0, 1, 2].map(|axis| strides[axis] as usize),
    };
    let source = &x.storage::<E>()[x.layout().start_offset()..];
    let (cos, sin) = (Dense::of(cos), Dense::of(sin));
    let (cos, sin) = (cos.slice::<E>(), sin.slice::<E>());
    let mut out = Buffer::<E>::new(&[batch, time, heads, width]);
    for_rows(
        out.as_mut(),
        width,
        rows_per_task(width),
        |first, out| match layout {
            RotaryLayout::HalfSplit => turn_halves(source, cos, sin, place, first, out),
            RotaryLayout::Interleaved => turn_neighbours(source, cos, sin, place, first, out),
        },
    );
    out.into_heads([batch, heads, time, width])
}

/// Calls `turn(features, cosines, sines, result)` for the part of each row that turns, and copies the rest.
#[inline(always)]
fn for_heads<E: Real>(
    (source, cos, sin): (&[E], &[E], &[E]),
    place: Place,
    first: usize,
    out: &mut [E],
    turn: impl Fn(&[E], &[E], &[E], &mut [E]),
) {
    let [per_sequence, per_head, per_position] = place.strides;
    for (row, out) in (first..).zip(out.chunks_exact_mut(place.width)) {
        let (position, head) = (row / place.heads, row % place.heads);
        let (sequence, time) = (position / place.time, position % place.time);
        let start = sequence * per_sequence + head * per_head + time * per_position;
        let x = &source[start..][..place.width];
        let angles = time * place.pairs..(time + 1) * place.pairs;
        let (x, rest) = x.split_at(2 * place.pairs);
        let (out, kept) = out.split_at_mut(2 * place.pairs);
        kept.copy_from_slice(rest);
        turn(x, &cos[angles.clone()], &sin[angles], out);
    }
}

multiversion! {
    fn turn_halves<E>(source: &[E], cos: &[E], sin: &[E], place: Place, first: usize, out: &mut [E]) {
        for_heads((source, cos, sin), place, first, out, |x, cos, sin, out| {
            let (a, b) = x.split_at(cos.len());
            let (to_a, to_b) = out.split_at_mut(cos.len());
            let values = a.iter().zip(b).zip(cos.iter().zip(sin));
            for ((to_a, to_b), ((&a, &b), (&cos, &sin))) in to_a.iter_mut().zip(to_b).zip(values) {
                *to_a = a * cos - b * sin;
                *to_b = b * cos + a * sin;
            }
        });
    }
}

multiversion! {
    fn turn_neighbours<E>(source: &[E], cos: &[E], sin: &[E], place: Place, first: usize, out: &mut [E]) {
        for_heads((source, cos, sin), place, first, out, |x, cos, sin, out| {
            let pairs = x.as_chunks::<2>().0.iter().zip(cos.iter().zip(sin));
            for (out, (&[a, b], (&cos, &sin))) in out.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
                *out = [a * cos - b * sin, b * cos + a * sin];
            }
        });
    }
}
