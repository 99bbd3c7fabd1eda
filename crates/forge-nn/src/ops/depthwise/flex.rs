//! Depthwise convolutions on `flex`: sums over the taps in registers, rows over the threads.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{DepthwiseOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{for_rows, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

/// Neighbouring outputs whose sums stay in registers.
const OUTPUTS: usize = 32;
/// Of the gradient of a weight: so many taps at once, each a sum over so many steps.
const TAPS: usize = 6;
const STEPS: usize = 16;

impl DepthwiseOps for Flex {
    fn fused_depthwise(x: FlexTensor, weight: FlexTensor) -> FlexTensor {
        if x.shape().contains(&0) {
            return reference::forward::<Self>(x, weight);
        }
        by_dtype!([&x, &weight], E => {
            forward::<E>(x, weight)
        }, reference::forward::<Self>(x, weight))
    }

    fn fused_depthwise_backward(
        x: FlexTensor,
        weight: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor) {
        if x.shape().contains(&0) {
            return reference::backward::<Self>(x, weight, dy);
        }
        by_dtype!([&x, &weight, &dy], E => {
            backward::<E>(x, weight, dy)
        }, reference::backward::<Self>(x, weight, dy))
    }
}

/// A row with zeros on both sides, wide enough for blocks that reach beyond its ends.
struct Padded<E> {
    values: Vec<E>,
    side: usize,
    time: usize,
}

impl<E: Real> Padded<E> {
    fn new(time: usize, size: usize) -> Self {
        let length = time.next_multiple_of(OUTPUTS) + size.next_multiple_of(TAPS);
        Self {
            values: vec![E::ZERO; length],
            side: size / 2,
            time,
        }
    }

    fn of(&mut self, row: &[E]) -> &[E] {
        self.values[self.side..][..self.time].copy_from_slice(row);
        &self.values
    }
}

fn forward<E: Real>(x: FlexTensor, weight: FlexTensor) -> FlexTensor {
    let (shape, size) = (x.shape(), weight.shape()[2]);
    let (x, weight) = (Dense::of(x), Dense::of(weight));
    let mut y = Buffer::<E>::new(&shape);
    let sizes = [shape[1], shape[2], size];
    convolve_rows(y.as_mut(), x.slice(), weight.slice(), sizes);
    y.into_tensor(shape)
}

/// Every row of `x` by the weights of its channel; of `sizes`, channels, steps and taps.
fn convolve_rows<E: Real>(y: &mut [E], x: &[E], weight: &[E], sizes: [usize; 3]) {
    let [channels, time, size] = sizes;
    for_rows(y, time, rows_per_task(time), |first, y| {
        let mut padded = Padded::new(time, size);
        for (row, y) in (first..).zip(y.chunks_exact_mut(time)) {
            let x = padded.of(&x[row * time..][..time]);
            convolve(y, x, &weight[row % channels * size..][..size]);
        }
    });
}

fn backward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    dy: FlexTensor,
) -> (FlexTensor, FlexTensor) {
    let (shape, of_weight) = (x.shape(), weight.shape());
    let [batch, channels, time] = [shape[0], shape[1], shape[2]];
    let size = of_weight[2];
    let dense = [x, weight, dy].map(Dense::of);
    let [x, weight, dy] = dense.each_ref().map(|dense| dense.slice::<E>());

    // Of odd size: the convolution by the taps in reverse.
    let reversed = weight.chunks_exact(size).flat_map(|taps| taps.iter().rev());
    let reversed: Vec<E> = reversed.copied().collect();
    let mut dx = Buffer::<E>::new(&shape);
    convolve_rows(dx.as_mut(), dy, &reversed, [channels, time, size]);

    let mut dweight = Buffer::<E>::new(&of_weight);
    let per_task = rows_per_task(batch * time);
    for_rows(dweight.as_mut(), size, per_task, |first, dweight| {
        let mut padded = Padded::new(time, size);
        let mut steps = vec![E::ZERO; time.next_multiple_of(STEPS)];
        let mut sums = vec![[E::ZERO; STEPS]; size.next_multiple_of(TAPS)];
        for (channel, dweight) in (first..).zip(dweight.chunks_exact_mut(size)) {
            sums.fill([E::ZERO; STEPS]);
            for row in (0..batch).map(|b| b * channels + channel) {
                steps[..time].copy_from_slice(&dy[row * time..][..time]);
                correlate(&mut sums, padded.of(&x[row * time..][..time]), &steps);
            }
            for (dtap, sums) in dweight.iter_mut().zip(&sums) {
                *dtap = sums.iter().fold(E::ZERO, |total, &sum| total + sum);
            }
        }
    });
    (dx.into_tensor(shape), dweight.into_tensor(of_weight))
}

multiversion! {
    /// `y[t] = Σ_k taps[k] x[t + k]`.
    fn convolve<E>(y: &mut [E], x: &[E], taps: &[E]) {
        for (block, y) in y.chunks_mut(OUTPUTS).enumerate() {
            let x = &x[block * OUTPUTS..];
            let mut sums = [E::ZERO; OUTPUTS];
            for (k, &tap) in taps.iter().enumerate() {
                for (sum, &x) in sums.iter_mut().zip(&x[k..k + OUTPUTS]) {
                    *sum += tap * x;
                }
            }
            y.copy_from_slice(&sums[..y.len()]);
        }
    }
}

multiversion! {
    /// `Σ_i sums[k][i] += Σ_t dy[t] x[t + k]`, where `dy` are whole blocks of steps and `sums` of taps.
    fn correlate<E>(sums: &mut [[E; STEPS]], x: &[E], dy: &[E]) {
        for (block, kept) in sums.chunks_exact_mut(TAPS).enumerate() {
            let mut sums = [[E::ZERO; STEPS]; TAPS];
            sums.copy_from_slice(kept);
            for (at, dy) in dy.chunks_exact(STEPS).enumerate() {
                let x = &x[at * STEPS + block * TAPS..][..STEPS + TAPS - 1];
                for (k, sums) in sums.iter_mut().enumerate() {
                    for ((sum, &dy), &x) in sums.iter_mut().zip(dy).zip(&x[k..k + STEPS]) {
                        *sum += dy * x;
                    }
                }
            }
            kept.copy_from_slice(&sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for (time, size) in [(1, 1), (2, 5), (7, 3), (64, 51), (67, 5), (131, 9)] {
            let [x, dy] = [1, 2].map(|seed| noise(seed, &[3, 4, time]));
            let weight = noise(3, &[4, 1, size]);
            let y = forward::<f64>(x.clone(), weight.clone());
            let expected = reference::forward::<Flex>(x.clone(), weight.clone());
            assert_same("forward", &[y], &[expected]);
            let (dx, dweight) = backward::<f64>(x.clone(), weight.clone(), dy.clone());
            let (ex, eweight) = reference::backward::<Flex>(x, weight, dy);
            assert_same("gradient", &[dx, dweight], &[ex, eweight]);
        }
    }
}
