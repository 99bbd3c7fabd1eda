//! The norms of channels with positions, `[G, R, C, S]`, on `flex`: a channel of a row is a run of numbers.

use burn::backend::Shape;
use rayon::prelude::*;

use super::flex::inverse_deviations;
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::reduce;
use crate::ops::flex::rows::{for_rows, shared_rows_per_task};
use crate::ops::flex::simd::multiversion;

#[derive(Clone, Copy)]
pub(super) struct Sizes {
    groups: usize,
    rows: usize,
    width: usize,
    positions: usize,
}

impl Sizes {
    pub(super) fn of(shape: &Shape) -> Self {
        let [groups, rows, width, positions] = shape.dims();
        Self {
            groups,
            rows,
            width,
            positions,
        }
    }

    /// Numbers of a row.
    fn row(self) -> usize {
        self.width * self.positions
    }

    /// Numbers that a statistic is of.
    fn count(self) -> usize {
        self.rows * self.positions
    }

    /// Channels of one group after those of another.
    fn channels(self) -> usize {
        self.groups * self.width
    }

    /// The runs of a channel in `values`, row after row.
    fn runs<E>(self, values: &[E], channel: usize) -> impl Iterator<Item = &[E]> {
        let (group, channel) = (channel / self.width, channel % self.width);
        let first = group * self.rows * self.row() + channel * self.positions;
        (0..self.rows).map(move |row| &values[first + row * self.row()..][..self.positions])
    }

    /// What `of` says of each channel, on all threads.
    fn by_channel<T: Send>(self, of: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        // So many numbers are worth a task.
        const LEAST: usize = 1 << 14;
        let channels = (0..self.channels()).into_par_iter();
        let together = LEAST.div_ceil(self.count());
        channels.with_min_len(together).map(of).collect()
    }
}

/// The output, and mean and variance of the channels of all groups.
pub(super) fn forward<E: Real>(
    x: &[E],
    weight: &[E],
    bias: &[E],
    sizes: Sizes,
    epsilon: f64,
) -> (Buffer<E>, Buffer<E>, Buffer<E>) {
    let share = E::ONE / E::of(sizes.count() as f64);
    let moments = sizes.by_channel(|channel| {
        // As of rows: the mean of equal values need not be their value.
        let origin = sizes.runs(x, channel).next().map_or(E::ZERO, |run| run[0]);
        let mut sum = E::ZERO;
        for run in sizes.runs(x, channel) {
            sum += sum_of_distances(run, origin);
        }
        let mean = origin + sum * share;
        let mut squares = E::ZERO;
        for run in sizes.runs(x, channel) {
            squares += sum_of_squares(run, mean);
        }
        (mean, squares * share)
    });
    let mut mean = Buffer::<E>::new(&[sizes.channels()]);
    let mut var = Buffer::<E>::new(&[sizes.channels()]);
    let both = mean.as_mut().iter_mut().zip(var.as_mut());
    for ((mean, var), moments) in both.zip(moments) {
        (*mean, *var) = moments;
    }
    let inverse = inverse_deviations(var.as_mut(), epsilon);
    let scale = scales(&inverse, weight);
    let mut y = Buffer::<E>::new(&[x.len()]);
    let (row, channel_means) = (sizes.row(), &*mean.as_mut());
    let task = shared_rows_per_task(sizes.groups * sizes.rows, row);
    for_rows(y.as_mut(), row, task, |first, y| {
        let x = &x[first * row..][..y.len()];
        for ((k, x), y) in x.chunks_exact(row).enumerate().zip(y.chunks_exact_mut(row)) {
            let group = (first + k) / sizes.rows * sizes.width;
            let of_group = group..group + sizes.width;
            let (mean, scale) = (&channel_means[of_group.clone()], &scale[of_group]);
            affine_runs(x, mean, scale, bias, y);
        }
    });
    (y, mean, var)
}

/// `inverse · weight`, for the channels of all groups.
fn scales<E: Real>(inverse: &[E], weight: &[E]) -> Vec<E> {
    let scales = inverse.iter().zip(weight.iter().cycle());
    scales.map(|(&inverse, &weight)| inverse * weight).collect()
}

/// What the gradients are computed from; `mean` and `inverse`, `1 / sqrt(var + epsilon)`, of the channels of
/// all groups.
#[derive(Clone, Copy)]
pub(super) struct Given<'a, E> {
    pub(super) x: &'a [E],
    pub(super) weight: &'a [E],
    pub(super) mean: &'a [E],
    pub(super) inverse: &'a [E],
    pub(super) dy: &'a [E],
}

/// The gradients of `x`, weight and bias.
pub(super) fn backward<E: Real>(
    given: Given<'_, E>,
    sizes: Sizes,
) -> (Buffer<E>, Buffer<E>, Buffer<E>) {
    let Given {
        x,
        weight,
        mean,
        inverse,
        dy,
    } = given;
    let sums = sizes.by_channel(|channel| {
        let (mut product, mut level) = (E::ZERO, E::ZERO);
        for (x, dy) in sizes.runs(x, channel).zip(sizes.runs(dy, channel)) {
            let sums = gradient_sums(x, dy, mean[channel]);
            product += sums.0;
            level += sums.1;
        }
        (product * inverse[channel], level)
    });
    let share = E::ONE / E::of(sizes.count() as f64);
    let each = sums.iter().zip(inverse);
    let slopes: Vec<E> = each
        .map(|(sums, &inverse)| inverse * sums.0 * share)
        .collect();
    let levels: Vec<E> = sums.iter().map(|sums| sums.1 * share).collect();
    let scale = scales(inverse, weight);
    let mut dx = Buffer::<E>::new(&[x.len()]);
    let row = sizes.row();
    let task = shared_rows_per_task(sizes.groups * sizes.rows, row);
    for_rows(dx.as_mut(), row, task, |first, dx| {
        let range = first * row..first * row + dx.len();
        let rows = x[range.clone()]
            .chunks_exact(row)
            .zip(dy[range].chunks_exact(row));
        for ((k, (x, dy)), dx) in rows.enumerate().zip(dx.chunks_exact_mut(row)) {
            let group = (first + k) / sizes.rows * sizes.width;
            let of = group..group + sizes.width;
            let factors = [
                &mean[of.clone()],
                &scale[of.clone()],
                &slopes[of.clone()],
                &levels[of],
            ];
            input_gradients(x, dy, factors, dx);
        }
    });
    let mut dweight = Buffer::<E>::zeros(&[sizes.width]);
    let mut dbias = Buffer::<E>::zeros(&[sizes.width]);
    for group in sums.chunks_exact(sizes.width) {
        let both = dweight.as_mut().iter_mut().zip(dbias.as_mut());
        for ((dweight, dbias), sums) in both.zip(group) {
            *dweight += sums.0;
            *dbias += sums.1;
        }
    }
    (dx, dweight, dbias)
}

multiversion! {
    fn sum_of_distances<E>(run: &[E], origin: E) -> E {
        reduce(run, run, |x, _| x - origin)
    }
}

multiversion! {
    fn sum_of_squares<E>(run: &[E], mean: E) -> E {
        reduce(run, run, |x, _| (x - mean) * (x - mean))
    }
}

multiversion! {
    /// The sums of `dy · (x - mean)` and of `dy`.
    fn gradient_sums<E>(x: &[E], dy: &[E], mean: E) -> (E, E) {
        (reduce(x, dy, |x, dy| dy * (x - mean)), reduce(dy, dy, |dy, _| dy))
    }
}

multiversion! {
    /// `(x - mean) · scale + shift`, a run per channel.
    fn affine_runs<E>(x: &[E], mean: &[E], scale: &[E], shift: &[E], y: &mut [E]) {
        let positions = x.len() / mean.len();
        let runs = x.chunks_exact(positions).zip(y.chunks_exact_mut(positions));
        for (c, (x, y)) in runs.enumerate() {
            let (mean, scale, shift) = (mean[c], scale[c], shift[c]);
            for (x, y) in x.iter().zip(y) {
                *y = (*x - mean) * scale + shift;
            }
        }
    }
}

multiversion! {
    /// `scale · (dy - level - (x - mean) · slope)`, a run per channel; the factors are mean, scale, slope and
    /// level.
    fn input_gradients<E>(x: &[E], dy: &[E], factors: [&[E]; 4], dx: &mut [E]) {
        let [means, scales, slopes, levels] = factors;
        let positions = x.len() / means.len();
        let runs = x.chunks_exact(positions).zip(dy.chunks_exact(positions));
        for (c, ((x, dy), dx)) in runs.zip(dx.chunks_exact_mut(positions)).enumerate() {
            let (mean, scale, slope, level) = (means[c], scales[c], slopes[c], levels[c]);
            for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
                *dx = scale * (*dy - level - (*x - mean) * slope);
            }
        }
    }
}
