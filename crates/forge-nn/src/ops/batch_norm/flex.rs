//! The norms on `flex`: statistics of parts of the rows, merged, and one pass that writes.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::positions::{self, Sizes};
use super::{BatchNormOps, reference};
use crate::ops::channel_affine::flex::{add_sums, affine_rows, quarters, totals};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{
    for_rows, rows_per_task, shared_rows_per_task, summed_rows_per_task, sums_of_rows,
};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

impl BatchNormOps for Flex {
    fn fused_batch_norm(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &weight, &bias], E => {
            forward::<E>(x, weight, bias, epsilon)
        }, reference::forward::<Self>(x, weight, bias, epsilon))
    }

    fn fused_batch_norm_backward(
        x: FlexTensor,
        weight: FlexTensor,
        mean: FlexTensor,
        var: FlexTensor,
        dy: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &weight, &mean, &var, &dy], E => {
            backward::<E>(x, weight, mean, var, dy, epsilon)
        }, reference::backward::<Self>(x, weight, dy, epsilon))
    }
}

fn forward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    epsilon: f64,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let shape = x.shape();
    let [groups, rows, width, positions] = shape.dims();
    let (x, weight, bias) = (Dense::of(x), Dense::of(weight), Dense::of(bias));
    let (x, weight, bias) = (x.slice::<E>(), weight.slice::<E>(), bias.slice::<E>());
    if positions > 1 {
        let (y, mean, var) = positions::forward(x, weight, bias, Sizes::of(&shape), epsilon);
        return (
            y.into_tensor(shape),
            mean.into_tensor([groups, width]),
            var.into_tensor([groups, width]),
        );
    }
    let mut y = Buffer::<E>::new(&[x.len()]);
    let mut mean = Buffer::<E>::new(&[groups * width]);
    let mut var = Buffer::<E>::new(&[groups * width]);
    let statistics = mean
        .as_mut()
        .par_chunks_mut(width)
        .zip(var.as_mut().par_chunks_mut(width));
    x.par_chunks(rows * width)
        .zip(y.as_mut().par_chunks_mut(rows * width))
        .zip(statistics)
        .with_min_len(rows_per_task(rows * width))
        .for_each(|((x, y), (mean, var))| {
            moments(x, mean, var);
            let scale = inverse_deviations(var, epsilon);
            let scale: Vec<E> = scale.iter().zip(weight).map(|(&i, &w)| i * w).collect();
            let task = shared_rows_per_task(rows, width);
            for_rows(y, width, task, |first, y| {
                affine_rows(&x[first * width..][..y.len()], mean, &scale, bias, y);
            });
        });
    (
        y.into_tensor(shape),
        mean.into_tensor([groups, width]),
        var.into_tensor([groups, width]),
    )
}

/// `1 / sqrt(var + epsilon)`.
pub(super) fn inverse_deviations<E: Real>(var: &[E], epsilon: f64) -> Vec<E> {
    let epsilon = E::of(epsilon);
    let inverse = |&var: &E| E::ONE / (var + epsilon).sqrt();
    var.iter().map(inverse).collect()
}

/// Mean and variance of each column of the rows `x`, those of parts merged (Chan et al. 1983).
fn moments<E: Real>(x: &[E], mean: &mut [E], var: &mut [E]) {
    let width = mean.len();
    let rows = x.len() / width;
    let task = summed_rows_per_task(rows, width);
    let of = |x: &[E]| {
        let (mut mean, mut squares) = (vec![E::ZERO; width], vec![E::ZERO; width]);
        column_moments(x, &mut mean, &mut squares);
        (x.len() / width, mean, squares)
    };
    let parts: Vec<_> = x.par_chunks(task * width).map(of).collect();
    mean.copy_from_slice(&parts[0].1);
    var.copy_from_slice(&parts[0].2);
    let mut seen = parts[0].0;
    for (count, other, squares) in &parts[1..] {
        let all = seen + count;
        let share = E::of(*count as f64 / all as f64);
        let between = E::of((seen * count) as f64 / all as f64);
        let parts = other.iter().zip(squares);
        for ((mean, var), (&other, &squares)) in mean.iter_mut().zip(&mut *var).zip(parts) {
            let apart = other - *mean;
            *mean += apart * share;
            *var += squares + apart * apart * between;
        }
        seen = all;
    }
    let scale = E::ONE / E::of(rows as f64);
    var.iter_mut().for_each(|var| *var *= scale);
}

multiversion! {
    /// The means of the columns, and the sums of the squared distances from them. Both start at 0. Four
    /// rows at a time: sums are read and written a quarter as often.
    fn column_moments<E>(x: &[E], mean: &mut [E], squares: &mut [E]) {
        let width = mean.len();
        let (origin, _) = x.split_at(width);
        let mut blocks = x.chunks_exact(4 * width);
        for block in &mut blocks {
            let [a, b, c, d] = quarters(block, width);
            for i in 0..width {
                let o = origin[i];
                mean[i] += ((a[i] - o) + (b[i] - o)) + ((c[i] - o) + (d[i] - o));
            }
        }
        for row in blocks.remainder().chunks_exact(width) {
            for i in 0..width {
                mean[i] += row[i] - origin[i];
            }
        }
        let scale = E::ONE / E::of((x.len() / width) as f64);
        for i in 0..width {
            mean[i] = origin[i] + mean[i] * scale;
        }
        let mut blocks = x.chunks_exact(4 * width);
        for block in &mut blocks {
            let [a, b, c, d] = quarters(block, width);
            for i in 0..width {
                let m = mean[i];
                let (a, b, c, d) = (a[i] - m, b[i] - m, c[i] - m, d[i] - m);
                squares[i] += (a * a + b * b) + (c * c + d * d);
            }
        }
        for row in blocks.remainder().chunks_exact(width) {
            for i in 0..width {
                let x = row[i] - mean[i];
                squares[i] += x * x;
            }
        }
    }
}

fn backward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    mean: FlexTensor,
    var: FlexTensor,
    dy: FlexTensor,
    epsilon: f64,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let shape = x.shape();
    let [_, rows, width, positions] = shape.dims();
    let [x, weight, mean, var, dy] = [x, weight, mean, var, dy].map(Dense::of);
    let (x, weight, dy) = (x.slice::<E>(), weight.slice::<E>(), dy.slice::<E>());
    let (mean, var) = (mean.slice::<E>(), var.slice::<E>());
    if positions > 1 {
        let inverse = inverse_deviations(var, epsilon);
        let given = positions::Given {
            x,
            weight,
            mean,
            inverse: &inverse,
            dy,
        };
        let (dx, dweight, dbias) = positions::backward(given, Sizes::of(&shape));
        return (
            dx.into_tensor(shape),
            dweight.into_tensor([width]),
            dbias.into_tensor([width]),
        );
    }
    let task = shared_rows_per_task(rows, width);
    let share = E::ONE / E::of(rows as f64);
    let mut dx = Buffer::<E>::new(&[x.len()]);
    let sums: Vec<Vec<E>> = dx
        .as_mut()
        .par_chunks_mut(rows * width)
        .enumerate()
        .with_min_len(rows_per_task(rows * width))
        .map(|(group, dx)| {
            let range = group * rows * width..(group + 1) * rows * width;
            let (x, dy) = (&x[range.clone()], &dy[range]);
            let (mean, var) = (
                &mean[group * width..][..width],
                &var[group * width..][..width],
            );
            let mut sums = sums_of_rows(
                rows,
                summed_rows_per_task(rows, width),
                2 * width,
                |rows, sums| {
                    let range = rows.start * width..rows.end * width;
                    add_sums(&x[range.clone()], &dy[range], mean, sums);
                },
            );
            let inverse = inverse_deviations(var, epsilon);
            let (products, levels) = sums.split_at_mut(width);
            products
                .iter_mut()
                .zip(&inverse)
                .for_each(|(p, &i)| *p *= i);
            let each = inverse.iter().zip(&*products);
            let slopes: Vec<E> = each.map(|(&i, &p)| i * p * share).collect();
            let levels: Vec<E> = levels.iter().map(|&level| level * share).collect();
            let scale: Vec<E> = inverse.iter().zip(weight).map(|(&i, &w)| i * w).collect();
            for_rows(dx, width, task, |first, dx| {
                let range = first * width..first * width + dx.len();
                let (x, dy) = (&x[range.clone()], &dy[range]);
                input_gradients(x, dy, mean, &scale, &slopes, &levels, dx);
            });
            sums
        })
        .collect();
    let (dweight, dbias) = totals(&sums, width);
    (
        dx.into_tensor(shape),
        dweight.into_tensor([width]),
        dbias.into_tensor([width]),
    )
}

multiversion! {
    /// `scale · (dy - level - (x - mean) · slope)`.
    fn input_gradients<E>(
        x: &[E],
        dy: &[E],
        mean: &[E],
        scale: &[E],
        slopes: &[E],
        levels: &[E],
        dx: &mut [E],
    ) {
        let width = mean.len();
        let (scale, slopes, levels) = (&scale[..width], &slopes[..width], &levels[..width]);
        let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
        for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
            for i in 0..width {
                dx[i] = scale[i] * (dy[i] - levels[i] - (x[i] - mean[i]) * slopes[i]);
            }
        }
    }
}
