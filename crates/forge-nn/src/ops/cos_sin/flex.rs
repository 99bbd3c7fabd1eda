//! Cosines and sines on `flex`.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{CosSinOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{for_rows, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};

impl CosSinOps for Flex {
    fn fused_cos_sin(x: FlexTensor) -> FlexTensor {
        by_dtype!([&x], E => forward::<E>(x), reference::forward::<Self>(x))
    }

    fn fused_cos_sin_backward(y: FlexTensor, dy: FlexTensor) -> FlexTensor {
        by_dtype!([&y, &dy], E => {
            backward::<E>(y, dy)
        }, reference::backward::<Self>(y, dy))
    }
}

fn forward<E: Real>(x: FlexTensor) -> FlexTensor {
    let mut shape = x.shape();
    let width = width(&x);
    let last = shape.num_dims() - 1;
    shape[last] = 2 * width;
    let x = Dense::of(x);
    let x = x.slice::<E>();
    let mut out = Buffer::<E>::new(&[x.len(), 2]);
    let rows = rows_per_task(2 * width);
    for_rows(out.as_mut(), 2 * width, rows, |first, out| {
        forward_rows(&x[first * width..][..out.len() / 2], width, out);
    });
    out.into_tensor(shape)
}

fn backward<E: Real>(y: FlexTensor, dy: FlexTensor) -> FlexTensor {
    let mut shape = y.shape();
    let width = width(&y) / 2;
    let last = shape.num_dims() - 1;
    shape[last] = width;
    let (y, dy) = (Dense::of(y), Dense::of(dy));
    let (y, dy) = (y.slice::<E>(), dy.slice::<E>());
    // The loops go over both by this length.
    assert_eq!(y.len(), dy.len(), "cos_sin: a gradient of another shape");
    let mut dx = Buffer::<E>::new(&[y.len() / 2]);
    let rows = rows_per_task(2 * width);
    for_rows(dx.as_mut(), width, rows, |first, dx| {
        let here = 2 * first * width..2 * (first * width + dx.len());
        backward_rows(&y[here.clone()], &dy[here], width, dx);
    });
    dx.into_tensor(shape)
}

multiversion! {
    fn forward_rows<E>(x: &[E], width: usize, out: &mut [E]) {
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(2 * width)) {
            let (cosines, sines) = out.split_at_mut(width);
            E::both_waves(x, cosines, sines);
        }
    }
}

multiversion! {
    fn backward_rows<E>(y: &[E], dy: &[E], width: usize, dx: &mut [E]) {
        let rows = y.chunks_exact(2 * width).zip(dy.chunks_exact(2 * width));
        for ((y, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
            let ((cosine, sine), (by_cosine, by_sine)) = (y.split_at(width), dy.split_at(width));
            let values = cosine.iter().zip(sine).zip(by_cosine).zip(by_sine);
            for (dx, (((&cosine, &sine), &by_cosine), &by_sine)) in dx.iter_mut().zip(values) {
                *dx = cosine * by_sine - sine * by_cosine;
            }
        }
    }
}
