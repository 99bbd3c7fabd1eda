//! Block-diagonal products on `flex`: rows where they lie, spread over the threads.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{BlockDiagonalOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::in_place::add;
use crate::ops::flex::rows::{for_rows, for_rows_summing, rows_per_task, shared_rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::transposed::transposed;
use crate::ops::flex::view::{Dense, Rows, by_dtype};
use crate::ops::optional::OptionalFloat;

impl BlockDiagonalOps for Flex {
    fn fused_block_diagonal(
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

    fn fused_block_diagonal_backward(
        x: FlexTensor,
        weight: FlexTensor,
        dy: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &weight, &dy], E => {
            backward::<E>(x, weight, dy)
        }, reference::backward::<Self>(x, weight, dy))
    }
}

/// The weights of the transposed blocks, `[K, G K]`: what output `j` takes from each input.
fn by_output<E: Real>(weight: &[E], size: usize) -> Vec<E> {
    let output = |j: usize| weight.chunks_exact(size).skip(j).step_by(size);
    (0..size).flat_map(output).flatten().copied().collect()
}

fn forward<E: Real>(x: FlexTensor, weight: FlexTensor, bias: Option<FlexTensor>) -> FlexTensor {
    let (shape, size) = (x.shape(), weight.shape()[1]);
    // What input `i` of a block gives to each output, `[K, G K]`.
    let factors = transposed(Dense::of(weight).slice::<E>(), size);
    let (x, bias) = (Rows::of(x), bias.map(Dense::of));
    let width = x.width();
    let none = vec![E::ZERO; width];
    let bias = bias.as_ref().map_or(&none[..], |bias| bias.slice());
    let mut y = Buffer::<E>::new(&shape);
    let per_task = shared_rows_per_task(x.count(), width);
    for_rows(y.as_mut(), width, per_task, |first, y| {
        for (row, y) in (first..).zip(y.chunks_exact_mut(width)) {
            y.copy_from_slice(bias);
            add_product(y, x.row(row), &factors);
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
    let size = of_weight[1];
    let factors = by_output(Dense::of(weight).slice::<E>(), size);
    let (x, dy) = (Rows::of(x), Rows::of(dy));
    let width = x.width();
    let mut dx = Buffer::<E>::new(&shape);
    // So many rows that what each task sums by itself is little beside them.
    let rows = rows_per_task(width).max(16 * (size + 1));
    let of_task = |first: usize, dx: &mut [E], sums: &mut [E]| {
        let (dfactors, dbias) = sums.split_at_mut(size * width);
        for (row, dx) in (first..).zip(dx.chunks_exact_mut(width)) {
            let (x, dy) = (x.row(row), dy.row(row));
            dx.fill(E::ZERO);
            add_product(dx, dy, &factors);
            add_outer(dfactors, x, dy);
            add(dbias, dy);
        }
    };
    let sums = for_rows_summing(dx.as_mut(), width, rows, (size + 1) * width, of_task);
    let (dfactors, sums) = sums.split_at(size * width);
    let mut dweight = Buffer::<E>::new(&of_weight);
    dweight
        .as_mut()
        .copy_from_slice(&transposed(dfactors, width));
    let mut dbias = Buffer::<E>::new(&[width]);
    dbias.as_mut().copy_from_slice(sums);
    (
        dx.into_tensor(shape),
        dweight.into_tensor(of_weight),
        dbias.into_tensor([width]),
    )
}

/// Blocks of a size that is known when this is compiled: its loops go into registers.
#[inline(always)]
fn add_product_of<E: Real, const K: usize>(y: &mut [E], x: &[E], factors: &[E]) {
    let width = y.len();
    let factors: [&[E]; K] = core::array::from_fn(|i| &factors[i * width..][..width]);
    for (g, (y, x)) in y.chunks_exact_mut(K).zip(x.chunks_exact(K)).enumerate() {
        let mut sums = [E::ZERO; K];
        sums.copy_from_slice(y);
        for i in 0..K {
            let factors = &factors[i][g * K..][..K];
            for j in 0..K {
                sums[j] += factors[j] * x[i];
            }
        }
        y.copy_from_slice(&sums);
    }
}

multiversion! {
    /// `y[g K + j] += Σ_i factors[i][g K + j] x[g K + i]`.
    fn add_product<E>(y: &mut [E], x: &[E], factors: &[E]) {
        let size = factors.len() / y.len();
        match size {
            2 => add_product_of::<E, 2>(y, x, factors),
            4 => add_product_of::<E, 4>(y, x, factors),
            8 => add_product_of::<E, 8>(y, x, factors),
            _ => {
                for (i, factors) in factors.chunks_exact(y.len()).enumerate() {
                    for ((g, y), x) in y.chunks_exact_mut(size).enumerate().zip(x.chunks_exact(size)) {
                        let factors = &factors[g * size..][..size];
                        for (y, &factor) in y.iter_mut().zip(factors) {
                            *y += factor * x[i];
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn add_outer_of<E: Real, const K: usize>(sums: &mut [E], x: &[E], dy: &[E]) {
    for (i, sums) in sums.chunks_exact_mut(dy.len()).enumerate() {
        let blocks = sums.chunks_exact_mut(K).zip(dy.chunks_exact(K));
        for ((sums, dy), x) in blocks.zip(x.chunks_exact(K)) {
            for j in 0..K {
                sums[j] += dy[j] * x[i];
            }
        }
    }
}

multiversion! {
    /// `sums[i][g K + j] += dy[g K + j] x[g K + i]`.
    fn add_outer<E>(sums: &mut [E], x: &[E], dy: &[E]) {
        let size = sums.len() / dy.len();
        match size {
            2 => add_outer_of::<E, 2>(sums, x, dy),
            4 => add_outer_of::<E, 4>(sums, x, dy),
            8 => add_outer_of::<E, 8>(sums, x, dy),
            _ => {
                for (i, sums) in sums.chunks_exact_mut(dy.len()).enumerate() {
                    let blocks = sums.chunks_exact_mut(size).zip(dy.chunks_exact(size));
                    for ((sums, dy), x) in blocks.zip(x.chunks_exact(size)) {
                        for (sum, &dy) in sums.iter_mut().zip(dy) {
                            *sum += dy * x[i];
                        }
                    }
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
        for (rows, groups, size) in [(1, 1, 1), (5, 3, 2), (7, 5, 4), (131, 9, 8), (40, 2, 3)] {
            let [x, dy] = [1, 2].map(|seed| noise(seed, &[rows, groups * size]));
            let weight = noise(3, &[groups, size, size]);
            for bias in [None, Some(noise(4, &[groups * size]))] {
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
