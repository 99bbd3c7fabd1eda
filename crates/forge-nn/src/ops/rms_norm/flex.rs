//! RMSNorm on `flex`: vectorised loops over a row that stays in the first-level cache.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{RmsNormOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::reduce;
use crate::ops::flex::rows::{for_rows, for_rows_summing, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};
use crate::ops::optional::OptionalFloat;

impl RmsNormOps for Flex {
    fn fused_rms_norm(x: FlexTensor, weight: OptionalFloat<Self>, epsilon: f64) -> FlexTensor {
        let weight = weight.into_option();
        let known_weight = weight.as_ref().unwrap_or(&x);
        by_dtype!([&x, known_weight], E => {
            forward::<E>(x, weight, epsilon)
        }, reference::forward::<Self>(x, weight, epsilon))
    }

    fn fused_rms_norm_backward(
        x: FlexTensor,
        weight: OptionalFloat<Self>,
        dy: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor) {
        let weight = weight.into_option();
        let known_weight = weight.as_ref().unwrap_or(&x);
        by_dtype!([&x, known_weight, &dy], E => {
            backward::<E>(x, weight, dy, epsilon)
        }, reference::backward::<Self>(x, weight, dy, epsilon))
    }
}

fn forward<E: Real>(x: FlexTensor, weight: Option<FlexTensor>, epsilon: f64) -> FlexTensor {
    let (shape, width) = (x.shape(), width(&x));
    let x = Dense::of(x);
    let x = x.slice::<E>();
    let weight = weight.map(Dense::of);
    let weight = weight.as_ref().map(|weight| weight.slice::<E>());
    let mut out = Buffer::<E>::new(x.len());
    for_rows(out.as_mut(), width, rows_per_task(width), |first, out| {
        let x = &x[first * width..][..out.len()];
        forward_rows(x, weight, E::of(epsilon), width, out);
    });
    out.into_tensor(shape)
}

/// `1 / sqrt(mean(x²) + epsilon)` of a row.
#[inline(always)]
fn inverse_root<E: Real>(row: &[E], epsilon: E) -> E {
    let square = reduce(row, row, |x, _| x * x) / E::of(row.len() as f64);
    E::ONE / (square + epsilon).sqrt()
}

multiversion! {
    fn forward_rows<E>(
        x: &[E],
        weight: Option<&[E]>,
        epsilon: E,
        width: usize,
        out: &mut [E],
    ) {
        for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let inverse = inverse_root(row, epsilon);
            match weight {
                Some(weight) => {
                    for ((out, &x), &w) in out.iter_mut().zip(row).zip(weight) {
                        *out = x * inverse * w;
                    }
                }
                None => {
                    for (out, &x) in out.iter_mut().zip(row) {
                        *out = x * inverse;
                    }
                }
            }
        }
    }
}

fn backward<E: Real>(
    x: FlexTensor,
    weight: Option<FlexTensor>,
    dy: FlexTensor,
    epsilon: f64,
) -> (FlexTensor, FlexTensor) {
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
    let mut dx = Buffer::<E>::new(x.len());
    let sums = for_rows_summing(
        dx.as_mut(),
        width,
        rows_per_task(width),
        width,
        |first, dx, sums| {
            let range = first * width..first * width + dx.len();
            let (x, dy) = (&x[range.clone()], &dy[range]);
            backward_rows(x, weight, dy, E::of(epsilon), dx, sums);
        },
    );
    let mut dweight = Buffer::<E>::new(width);
    dweight.as_mut().copy_from_slice(&sums);
    (dx.into_tensor(shape), dweight.into_tensor([width]))
}

multiversion! {
    /// `sums` is the gradient of the weight.
    fn backward_rows<E>(
        x: &[E],
        weight: &[E],
        dy: &[E],
        epsilon: E,
        dx: &mut [E],
        dweight: &mut [E],
    ) {
        let width = weight.len();
        let scale = E::ONE / E::of(width as f64);
        let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
        for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
            let inverse = inverse_root(x, epsilon);
            // dx first holds the normalised row.
            for (normal, &x) in dx.iter_mut().zip(x) {
                *normal = x * inverse;
            }
            for ((dw, &dy), &normal) in dweight.iter_mut().zip(dy).zip(&*dx) {
                *dw += dy * normal;
            }
            let mut along = E::ZERO;
            // Blocks of rows would hide the latency of this sum; rows are long enough.
            for block in 0..width.div_ceil(256) {
                let range = block * 256..((block + 1) * 256).min(width);
                let mut products = [E::ZERO; 256];
                let products = &mut products[..range.len()];
                for ((p, &dy), &w) in products.iter_mut().zip(&dy[range.clone()]).zip(&weight[range.clone()]) {
                    *p = dy * w;
                }
                along += reduce(products, &dx[range], |p, normal| p * normal);
            }
            let along = along * scale;
            for ((dx, &dy), &w) in dx.iter_mut().zip(dy).zip(weight) {
                *dx = inverse * (dy * w - *dx * along);
            }
        }
    }
}
