//! Dropout and residual on `flex`: one pass, in place where nobody else holds an input.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, Shape, TensorMetadata};

use super::{DropoutResidualOps, reference};
use crate::ops::dropout_mask::DropoutMask;
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{for_rows, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};

impl DropoutResidualOps for Flex {
    fn fused_dropout_residual(
        x: FlexTensor,
        residual: FlexTensor,
        probability: f64,
        seed: u64,
    ) -> FlexTensor {
        by_dtype!([&x, &residual], E => {
            forward::<E>(x, Some(residual), probability, seed)
        }, reference::forward::<Self>(x, residual, probability, seed))
    }

    fn fused_dropout(x: FlexTensor, probability: f64, seed: u64) -> FlexTensor {
        if probability == 0.0 {
            return x;
        }
        by_dtype!([&x], E => {
            forward::<E>(x, None, probability, seed)
        }, reference::dropped::<Self>(x, probability, seed))
    }
}

/// `residual + dropout(x)`, or `dropout(x)`.
fn forward<E: Real>(
    x: FlexTensor,
    residual: Option<FlexTensor>,
    probability: f64,
    seed: u64,
) -> FlexTensor {
    let (shape, width) = (x.shape(), width(&x));
    let mut x = Dense::of(x);
    let residual = residual.map(Dense::of);
    let residual = residual.as_ref().map(|residual| residual.slice::<E>());
    let mask = (probability > 0.0).then(|| DropoutMask::new(seed, probability));
    let rows = rows_per_task(width);
    let run = |first: usize, source: Option<&[E]>, out: &mut [E]| {
        let range = first * width..first * width + out.len();
        if let Some(source) = source {
            out.copy_from_slice(&source[range.clone()]);
        }
        if let Some(mask) = mask {
            drop_rows(out, width, first, mask, E::of(mask.scale()));
        }
        if let Some(residual) = residual {
            add(out, &residual[range]);
        }
    };
    if let Some(x) = x.unique::<E>() {
        for_rows(x, width, rows, |first, out| run(first, None, out));
    } else {
        return into_fresh(&x, shape, width, rows, run);
    }
    x.into_tensor()
}

fn into_fresh<E: Real>(
    x: &Dense,
    shape: Shape,
    width: usize,
    rows: usize,
    run: impl Fn(usize, Option<&[E]>, &mut [E]) + Sync,
) -> FlexTensor {
    let source = x.slice::<E>();
    let mut out = Buffer::<E>::new(&[source.len()]);
    for_rows(out.as_mut(), width, rows, |first, out| {
        run(first, Some(source), out);
    });
    out.into_tensor(shape)
}

multiversion! {
    fn drop_rows<E>(values: &mut [E], width: usize, first: usize, mask: DropoutMask, scale: E) {
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let key = mask.row_key((first + row) as u64);
            for (column, value) in values.iter_mut().enumerate() {
                let factor = if mask.keeps(key, column as u32) { scale } else { E::ZERO };
                *value *= factor;
            }
        }
    }
}

multiversion! {
    fn add<E>(values: &mut [E], other: &[E]) {
        for (value, &other) in values.iter_mut().zip(other) {
            *value += other;
        }
    }
}
