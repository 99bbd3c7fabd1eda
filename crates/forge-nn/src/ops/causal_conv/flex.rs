//! Causal convolutions on `flex`: channels in vector registers, tokens over the threads.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{CausalConvOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::in_place::add;
use crate::ops::flex::rows::{for_rows, for_rows_summing, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::transposed::transposed;
use crate::ops::flex::view::{Dense, by_dtype, with_adjacent_features};
use crate::ops::optional::OptionalFloat;

/// Channels whose sums stay in registers.
const CHANNELS: usize = 64;

impl CausalConvOps for Flex {
    fn fused_causal_conv(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalFloat<Self>,
    ) -> FlexTensor {
        let bias = bias.into_option();
        let third = bias.as_ref().unwrap_or(&weight);
        by_dtype!([&x, &weight, third], E => {
            forward::<E>(x, weight, bias)
        }, reference::forward::<Self>(x, weight, bias))
    }

    fn fused_causal_conv_backward(
        x: FlexTensor,
        weight: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &weight, &dy], E => {
            backward::<E>(x, weight, dy)
        }, reference::backward::<Self>(x, weight, dy))
    }
}

/// Tokens `[B, T, C]` in their place, each with its channels beside each other.
struct Tokens<E> {
    tensor: FlexTensor,
    time: usize,
    channels: usize,
    /// A token beyond the ends of the sequence.
    absent: Vec<E>,
}

impl<E: Real> Tokens<E> {
    fn of(tensor: FlexTensor) -> Self {
        let [_, time, channels] = tensor.shape().dims();
        Self {
            tensor: with_adjacent_features(tensor),
            time,
            channels,
            absent: vec![E::ZERO; channels],
        }
    }

    /// The token `ahead` steps after that of row `row` of all batches, before it where that is negative.
    fn near(&self, row: usize, ahead: isize) -> &[E] {
        let step = (row % self.time).checked_add_signed(ahead);
        let Some(step) = step.filter(|step| *step < self.time) else {
            return &self.absent;
        };
        let (layout, batch) = (self.tensor.layout(), row / self.time);
        let strides = layout.strides();
        let from = layout.start_offset() + batch * strides[0] as usize + step * strides[1] as usize;
        &self.tensor.storage::<E>()[from..from + self.channels]
    }
}

/// The taps from the earliest token to the present one, `[K, C]`.
fn taps<E: Real>(weight: FlexTensor) -> Vec<E> {
    let size = weight.shape()[2];
    transposed(Dense::of(weight).slice(), size)
}

fn forward<E: Real>(x: FlexTensor, weight: FlexTensor, bias: Option<FlexTensor>) -> FlexTensor {
    let (shape, size) = (x.shape(), weight.shape()[2]);
    let (x, taps) = (Tokens::<E>::of(x), taps::<E>(weight));
    let bias = bias.map(Dense::of);
    let bias = bias.as_ref().map_or(&x.absent[..], |bias| bias.slice());
    let mut y = Buffer::<E>::new(&shape);
    let per_task = rows_per_task(x.channels);
    for_rows(y.as_mut(), x.channels, per_task, |first, y| {
        let mut seen = Vec::with_capacity(size);
        for (row, y) in (first..).zip(y.chunks_exact_mut(x.channels)) {
            seen.clear();
            seen.extend((0..size).map(|k| x.near(row, k as isize - (size as isize - 1))));
            y.copy_from_slice(bias);
            add_tapped(y, &seen, &taps);
        }
    });
    y.into_tensor(shape)
}

fn backward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    dy: FlexTensor,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let (shape, of_weight) = (x.shape(), weight.shape());
    let size = of_weight[2];
    let (x, dy, taps) = (Tokens::<E>::of(x), Tokens::<E>::of(dy), taps::<E>(weight));
    let channels = x.channels;
    // From the present token to the latest that sees it.
    let reversed = taps.chunks_exact(channels).rev().flatten();
    let reversed: Vec<E> = reversed.copied().collect();
    let mut dx = Buffer::<E>::new(&shape);
    // So many rows that what each task sums by itself is little beside them.
    let rows = rows_per_task(channels).max(8 * (size + 1));
    let of_task = |first: usize, dx: &mut [E], sums: &mut [E]| {
        let (dtaps, dbias) = sums.split_at_mut(size * channels);
        let mut seen_by = Vec::with_capacity(size);
        for (row, dx) in (first..).zip(dx.chunks_exact_mut(channels)) {
            seen_by.clear();
            seen_by.extend((0..size).map(|k| dy.near(row, k as isize)));
            dx.fill(E::ZERO);
            add_tapped(dx, &seen_by, &reversed);
            let dy = dy.near(row, 0);
            add(dbias, dy);
            for (k, dtap) in dtaps.chunks_exact_mut(channels).enumerate() {
                add_products(dtap, dy, x.near(row, k as isize - (size as isize - 1)));
            }
        }
    };
    let sums = for_rows_summing(dx.as_mut(), channels, rows, (size + 1) * channels, of_task);
    let (dtaps, sums) = sums.split_at(size * channels);
    let mut dweight = Buffer::<E>::new(&of_weight);
    dweight
        .as_mut()
        .copy_from_slice(&transposed(dtaps, channels));
    let mut dbias = Buffer::<E>::new(&[channels]);
    dbias.as_mut().copy_from_slice(sums);
    (
        dx.into_tensor(shape),
        dweight.into_tensor(of_weight),
        dbias.into_tensor([channels]),
    )
}

multiversion! {
    /// `y[c] += Σ_k taps[k][c] rows[k][c]`.
    fn add_tapped<E>(y: &mut [E], rows: &[&[E]], taps: &[E]) {
        let channels = y.len();
        let blocks = y.chunks_exact_mut(CHANNELS);
        let whole = channels / CHANNELS * CHANNELS;
        for (block, y) in blocks.enumerate() {
            let from = block * CHANNELS;
            let mut sums = [E::ZERO; CHANNELS];
            sums.copy_from_slice(y);
            for (row, taps) in rows.iter().zip(taps.chunks_exact(channels)) {
                let (row, taps) = (&row[from..from + CHANNELS], &taps[from..from + CHANNELS]);
                for ((sum, &x), &tap) in sums.iter_mut().zip(row).zip(taps) {
                    *sum += tap * x;
                }
            }
            y.copy_from_slice(&sums);
        }
        for (row, taps) in rows.iter().zip(taps.chunks_exact(channels)) {
            for ((y, &x), &tap) in y[whole..].iter_mut().zip(&row[whole..]).zip(&taps[whole..]) {
                *y += tap * x;
            }
        }
    }
}

multiversion! {
    /// `sums[c] += a[c] b[c]`.
    fn add_products<E>(sums: &mut [E], a: &[E], b: &[E]) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (time, channels, size) in [(1, 1, 1), (2, 5, 4), (7, 64, 3), (40, 131, 4), (3, 2, 9)] {
            let [x, dy] = [1, 2].map(|seed| noise(seed, &[3, time, channels]));
            let weight = noise(3, &[channels, 1, size]);
            for bias in [None, Some(noise(4, &[channels]))] {
                let y = forward::<f64>(x.clone(), weight.clone(), bias.clone());
                let expected = reference::forward::<Flex>(x.clone(), weight.clone(), bias);
                assert_same("forward", &[y], &[expected]);
            }
            let (dx, dweight, dbias) = backward::<f64>(x.clone(), weight.clone(), dy.clone());
            let (ex, eweight, ebias) = reference::backward::<Flex>(x, weight, dy);
            assert_same("gradient", &[dx, dweight, dbias], &[ex, eweight, ebias]);
        }
    }
}
