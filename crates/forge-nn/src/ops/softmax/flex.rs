//! Softmax on `flex`: rows over the threads, vectorised exponentials.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, TensorMetadata};

use super::{SoftmaxOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::row::{combine, map, maximum, reduce};
use crate::ops::flex::rows::{for_rows, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};

impl SoftmaxOps for Flex {
    fn fused_softmax(x: FlexTensor, dim: usize) -> FlexTensor {
        let last = x.shape().num_dims() - 1;
        by_dtype!([&x], E => {
            if dim == last {
                forward::<E>(x)
            } else {
                let y = forward::<E>(Self::float_swap_dims(x, dim, last));
                Self::float_swap_dims(y, dim, last)
            }
        }, reference::forward::<Self>(x, dim))
    }

    fn fused_softmax_backward(y: FlexTensor, dy: FlexTensor, dim: usize) -> FlexTensor {
        let last = y.shape().num_dims() - 1;
        by_dtype!([&y, &dy], E => {
            if dim == last {
                backward::<E>(y, dy)
            } else {
                let y = Self::float_swap_dims(y, dim, last);
                let dx = backward::<E>(y, Self::float_swap_dims(dy, dim, last));
                Self::float_swap_dims(dx, dim, last)
            }
        }, reference::backward::<Self>(y, dy, dim))
    }
}

fn forward<E: Real>(x: FlexTensor) -> FlexTensor {
    let (shape, width) = (x.shape(), width(&x));
    let x = Dense::of(x);
    let x = x.slice::<E>();
    let mut out = Buffer::<E>::new(&[x.len()]);
    for_rows(out.as_mut(), width, rows_per_task(width), |first, out| {
        forward_rows(&x[first * width..][..out.len()], width, out);
    });
    out.into_tensor(shape)
}

fn backward<E: Real>(y: FlexTensor, dy: FlexTensor) -> FlexTensor {
    let (shape, width) = (y.shape(), width(&y));
    let (y, dy) = (Dense::of(y), Dense::of(dy));
    let (y, dy) = (y.slice::<E>(), dy.slice::<E>());
    let mut dx = Buffer::<E>::new(&[y.len()]);
    for_rows(dx.as_mut(), width, rows_per_task(width), |first, dx| {
        let range = first * width..first * width + dx.len();
        backward_rows(&y[range.clone()], &dy[range], width, dx);
    });
    dx.into_tensor(shape)
}

multiversion! {
    fn forward_rows<E>(x: &[E], width: usize, out: &mut [E]) {
        for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let highest = maximum(row);
            combine(row, row, out, |x, _| (x - highest).exp());
            let inverse = E::ONE / reduce(out, out, |term, _| term);
            map(out, |x| x * inverse);
        }
    }
}

multiversion! {
    fn backward_rows<E>(y: &[E], dy: &[E], width: usize, dx: &mut [E]) {
        let rows = y.chunks_exact(width).zip(dy.chunks_exact(width));
        for ((y, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
            let mean = reduce(y, dy, |y, dy| y * dy);
            combine(y, dy, dx, |y, dy| y * (dy - mean));
        }
    }
}
