//! The norms on `flex`: vectorised loops over a row that stays in the first-level cache.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{RowNorm, RowNormOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::reduce;
use crate::ops::flex::rows::{for_rows, for_rows_summing, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};
use crate::ops::optional::OptionalFloat;

impl RowNormOps for Flex {
    fn fused_row_norm(
        x: FlexTensor,
        weight: OptionalFloat<Self>,
        bias: OptionalFloat<Self>,
        norm: RowNorm,
        epsilon: f64,
    ) -> FlexTensor {
        let (weight, bias) = (weight.into_option(), bias.into_option());
        let (known_weight, known_bias) =
            (weight.as_ref().unwrap_or(&x), bias.as_ref().unwrap_or(&x));
        by_dtype!([&x, known_weight, known_bias], E => {
            forward::<E>(x, weight, bias, norm, epsilon)
        }, reference::forward::<Self>(x, weight, bias, norm, epsilon))
    }

    fn fused_row_norm_backward(
        x: FlexTensor,
        weight: OptionalFloat<Self>,
        dy: FlexTensor,
        norm: RowNorm,
        epsilon: f64,
        needs_bias: bool,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let weight = weight.into_option();
        let known_weight = weight.as_ref().unwrap_or(&x);
        by_dtype!([&x, known_weight, &dy], E => {
            backward::<E>(x, weight, dy, norm, epsilon, needs_bias)
        }, reference::backward::<Self>(x, weight, dy, norm, epsilon))
    }
}

fn forward<E: Real>(
    x: FlexTensor,
    weight: Option<FlexTensor>,
    bias: Option<FlexTensor>,
    norm: RowNorm,
    epsilon: f64,
) -> FlexTensor {
    let (shape, width) = (x.shape(), width(&x));
    let x = Dense::of(x);
    let x = x.slice::<E>();
    let (weight, bias) = (weight.map(Dense::of), bias.map(Dense::of));
    let weight = weight.as_ref().map(|weight| weight.slice::<E>());
    let bias = bias.as_ref().map(|bias| bias.slice::<E>());
    let mut out = Buffer::<E>::new(&[x.len()]);
    for_rows(out.as_mut(), width, rows_per_task(width), |first, out| {
        let x = &x[first * width..][..out.len()];
        forward_rows(
            x,
            weight,
            bias,
            norm.is_centred(),
            E::of(epsilon),
            width,
            out,
        );
    });
    out.into_tensor(shape)
}

/// What normalises a row.
#[derive(Clone, Copy)]
struct Statistics<E> {
    /// An element of the row, for the size of the values.
    origin: E,
    /// The mean, from `origin` on. Of a row of equal elements it is exactly 0, where a mean of the
    /// elements is rounded to their size and need not be their value.
    mean: E,
    /// `1 / sqrt(var + epsilon)`.
    inverse: E,
}

impl<E: Real> Statistics<E> {
    /// Of a row; origin and mean are 0 where rows are not centred.
    #[inline(always)]
    fn of<const CENTRED: bool>(row: &[E], epsilon: E) -> Self {
        let scale = E::ONE / E::of(row.len() as f64);
        let (origin, mean) = if CENTRED {
            let origin = row[0];
            (origin, reduce(row, row, |x, _| x - origin) * scale)
        } else {
            (E::ZERO, E::ZERO)
        };
        let square = |x: E, _: E| {
            let centred = x - origin - mean;
            centred * centred
        };
        let variance = reduce(row, row, square) * scale;
        Self {
            origin,
            mean,
            inverse: E::ONE / (variance + epsilon).sqrt(),
        }
    }

    /// The normalised element.
    #[inline(always)]
    fn normal(self, x: E) -> E {
        (x - self.origin - self.mean) * self.inverse
    }
}

/// Compiled once with and once without the mean: a test in the loops costs a tenth of the time.
#[inline(always)]
fn forward_body<E: Real, const CENTRED: bool>(
    x: &[E],
    weight: Option<&[E]>,
    bias: Option<&[E]>,
    epsilon: E,
    width: usize,
    out: &mut [E],
) {
    for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let statistics = Statistics::of::<CENTRED>(row, epsilon);
        match (weight, bias) {
            (Some(weight), Some(bias)) => {
                for (((out, &x), &w), &b) in out.iter_mut().zip(row).zip(weight).zip(bias) {
                    *out = statistics.normal(x) * w + b;
                }
            }
            _ => {
                for (out, &x) in out.iter_mut().zip(row) {
                    *out = statistics.normal(x);
                }
                if let Some(weight) = weight {
                    out.iter_mut().zip(weight).for_each(|(out, &w)| *out *= w);
                }
                if let Some(bias) = bias {
                    out.iter_mut().zip(bias).for_each(|(out, &b)| *out += b);
                }
            }
        }
    }
}

multiversion! {
    fn forward_rows<E>(
        x: &[E],
        weight: Option<&[E]>,
        bias: Option<&[E]>,
        centred: bool,
        epsilon: E,
        width: usize,
        out: &mut [E],
    ) {
        if centred {
            forward_body::<E, true>(x, weight, bias, epsilon, width, out);
        } else {
            forward_body::<E, false>(x, weight, bias, epsilon, width, out);
        }
    }
}

fn backward<E: Real>(
    x: FlexTensor,
    weight: Option<FlexTensor>,
    dy: FlexTensor,
    norm: RowNorm,
    epsilon: f64,
    needs_bias: bool,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let (shape, width) = (x.shape(), width(&x));
    let (x, dy) = (Dense::of(x), Dense::of(dy));
    let (x, dy) = (x.slice::<E>(), dy.slice::<E>());
    let weight = weight.map(Dense::of);
    let ones;
    let weight = match &weight {
        Some(weight) => weight.slice::<E>(),
        None => {
            ones = vec![E::ONE; width];
            &ones
        }
    };
    let mut dx = Buffer::<E>::new(&[x.len()]);
    let sums = for_rows_summing(
        dx.as_mut(),
        width,
        rows_per_task(width),
        if needs_bias { 2 * width } else { width },
        |first, dx, sums| {
            let range = first * width..first * width + dx.len();
            let (x, dy) = (&x[range.clone()], &dy[range]);
            backward_rows(x, weight, dy, norm.is_centred(), E::of(epsilon), dx, sums);
        },
    );
    let mut dweight = Buffer::<E>::new(&[width]);
    dweight.as_mut().copy_from_slice(&sums[..width]);
    let mut dbias = Buffer::<E>::new(&[sums.len() - width]);
    dbias.as_mut().copy_from_slice(&sums[width..]);
    let bias_width = sums.len() - width;
    (
        dx.into_tensor(shape),
        dweight.into_tensor([width]),
        dbias.into_tensor([bias_width]),
    )
}

/// `sums` are the gradients of weight and, if there is room, bias, one after the other.
#[inline(always)]
fn backward_body<E: Real, const CENTRED: bool>(
    x: &[E],
    weight: &[E],
    dy: &[E],
    epsilon: E,
    dx: &mut [E],
    sums: &mut [E],
) {
    let width = weight.len();
    let scale = E::ONE / E::of(width as f64);
    let (dweight, dbias) = sums.split_at_mut(width);
    let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
    for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
        let statistics = Statistics::of::<CENTRED>(x, epsilon);
        let inverse = statistics.inverse;
        // dx first holds the normalised row.
        for (normal, &x) in dx.iter_mut().zip(x) {
            *normal = statistics.normal(x);
        }
        if dbias.is_empty() {
            for ((dw, &dy), &normal) in dweight.iter_mut().zip(dy).zip(&*dx) {
                *dw += dy * normal;
            }
        } else {
            let sums = dweight.iter_mut().zip(dbias.iter_mut());
            for (((dw, db), &dy), &normal) in sums.zip(dy).zip(&*dx) {
                *dw += dy * normal;
                *db += dy;
            }
        }
        let level = if CENTRED {
            reduce(dy, weight, |dy, w| dy * w) * scale
        } else {
            E::ZERO
        };
        let mut along = E::ZERO;
        // Blocks of rows would hide the latency of this sum; rows are long enough.
        for block in 0..width.div_ceil(256) {
            let range = block * 256..((block + 1) * 256).min(width);
            let mut products = [E::ZERO; 256];
            let products = &mut products[..range.len()];
            for ((p, &dy), &w) in products
                .iter_mut()
                .zip(&dy[range.clone()])
                .zip(&weight[range.clone()])
            {
                *p = dy * w;
            }
            along += reduce(products, &dx[range], |p, normal| p * normal);
        }
        let along = along * scale;
        for ((dx, &dy), &w) in dx.iter_mut().zip(dy).zip(weight) {
            *dx = inverse * (dy * w - level - *dx * along);
        }
    }
}

multiversion! {
    fn backward_rows<E>(
        x: &[E],
        weight: &[E],
        dy: &[E],
        centred: bool,
        epsilon: E,
        dx: &mut [E],
        sums: &mut [E],
    ) {
        if centred {
            backward_body::<E, true>(x, weight, dy, epsilon, dx, sums);
        } else {
            backward_body::<E, false>(x, weight, dy, epsilon, dx, sums);
        }
    }
}
