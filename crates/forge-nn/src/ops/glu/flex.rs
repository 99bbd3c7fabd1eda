//! The gated linear units on `flex`.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{GluKind, GluOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{for_rows, rows_per_task, shared_rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, Rows, by_dtype, width};

impl GluOps for Flex {
    fn fused_glu(x: FlexTensor, kind: GluKind) -> FlexTensor {
        by_dtype!([&x], E => forward::<E>(x, kind), reference::forward::<Self>(x, kind))
    }

    fn fused_glu_backward(x: FlexTensor, dy: FlexTensor, kind: GluKind) -> FlexTensor {
        by_dtype!([&x, &dy], E => {
            backward::<E>(x, dy, kind)
        }, reference::backward::<Self>(x, dy, kind))
    }

    fn fused_gated(value: FlexTensor, gate: FlexTensor, kind: GluKind) -> FlexTensor {
        by_dtype!([&value, &gate], E => {
            gated::<E>(value, gate, kind)
        }, reference::gated::<Self>(value, gate, kind))
    }

    fn fused_gated_backward(
        value: FlexTensor,
        gate: FlexTensor,
        dy: FlexTensor,
        kind: GluKind,
    ) -> (FlexTensor, FlexTensor) {
        by_dtype!([&value, &gate, &dy], E => {
            gated_backward::<E>(value, gate, dy, kind)
        }, reference::gated_backward::<Self>(value, gate, dy, kind))
    }
}

fn forward<E: Real>(x: FlexTensor, kind: GluKind) -> FlexTensor {
    let mut shape = x.shape();
    let width = width(&x) / 2;
    let rank = shape.num_dims();
    shape[rank - 1] = width;
    let x = Dense::of(x);
    let x = x.slice::<E>();
    let mut out = Buffer::<E>::new(&[x.len() / 2]);
    for_rows(
        out.as_mut(),
        width,
        rows_per_task(2 * width),
        |first, out| {
            forward_rows(&x[2 * first * width..][..2 * out.len()], width, kind, out);
        },
    );
    out.into_tensor(shape)
}

fn backward<E: Real>(x: FlexTensor, dy: FlexTensor, kind: GluKind) -> FlexTensor {
    let shape = x.shape();
    let width = width(&dy);
    let (x, dy) = (Dense::of(x), Dense::of(dy));
    let (x, dy) = (x.slice::<E>(), dy.slice::<E>());
    let mut dx = Buffer::<E>::new(&[x.len()]);
    for_rows(
        dx.as_mut(),
        2 * width,
        rows_per_task(2 * width),
        |first, dx| {
            let x = &x[2 * first * width..][..dx.len()];
            let dy = &dy[first * width..][..dx.len() / 2];
            backward_rows(x, dy, kind, width, dx);
        },
    );
    dx.into_tensor(shape)
}

// Loops and not `for_each`: the standard library's `fold` of a deep zip is not inlined, and then
// not compiled for the wider registers.

/// `out = value · act(gate)`.
#[inline(always)]
fn forward_row<E: Real>(value: &[E], gate: &[E], kind: GluKind, out: &mut [E]) {
    let triples = out.iter_mut().zip(value).zip(gate);
    match kind {
        GluKind::Sigmoid => {
            for ((out, &v), &g) in triples {
                *out = v * g.sigmoid();
            }
        }
        GluKind::Relu => {
            for ((out, &v), &g) in triples {
                *out = v * g.larger(E::ZERO);
            }
        }
        GluKind::Gelu => {
            for ((out, &v), &g) in triples {
                *out = v * g.gelu();
            }
        }
        GluKind::Silu => {
            for ((out, &v), &g) in triples {
                *out = v * g.silu();
            }
        }
    }
}

/// The gradients of value and gate.
#[inline(always)]
fn backward_row<E: Real>(
    (value, gate): (&[E], &[E]),
    dy: &[E],
    kind: GluKind,
    (dvalue, dgate): (&mut [E], &mut [E]),
) {
    let all = dvalue.iter_mut().zip(dgate).zip(value).zip(gate).zip(dy);
    match kind {
        GluKind::Sigmoid => {
            for ((((dv, dg), &v), &g), &dy) in all {
                let s = g.sigmoid();
                *dv = dy * s;
                *dg = dy * v * s * (E::ONE - s);
            }
        }
        GluKind::Relu => {
            for ((((dv, dg), &v), &g), &dy) in all {
                *dv = dy * g.larger(E::ZERO);
                *dg = if g > E::ZERO { dy * v } else { E::ZERO };
            }
        }
        GluKind::Gelu => {
            for ((((dv, dg), &v), &g), &dy) in all {
                *dv = dy * g.gelu();
                *dg = dy * v * g.gelu_slope();
            }
        }
        GluKind::Silu => {
            for ((((dv, dg), &v), &g), &dy) in all {
                *dv = dy * g.silu();
                *dg = dy * v * g.silu_slope();
            }
        }
    }
}

multiversion! {
    fn forward_rows<E>(x: &[E], width: usize, kind: GluKind, out: &mut [E]) {
        for (row, out) in x.chunks_exact(2 * width).zip(out.chunks_exact_mut(width)) {
            let (value, gate) = row.split_at(width);
            forward_row(value, gate, kind, out);
        }
    }
}

multiversion! {
    fn backward_rows<E>(x: &[E], dy: &[E], kind: GluKind, width: usize, dx: &mut [E]) {
        let rows = x.chunks_exact(2 * width).zip(dy.chunks_exact(width));
        for ((row, dy), dx) in rows.zip(dx.chunks_exact_mut(2 * width)) {
            backward_row(row.split_at(width), dy, kind, dx.split_at_mut(width));
        }
    }
}

fn gated<E: Real>(value: FlexTensor, gate: FlexTensor, kind: GluKind) -> FlexTensor {
    let (shape, width) = (value.shape(), width(&value));
    let (value, gate) = (Rows::of(value), Rows::of(gate));
    let mut y = Buffer::<E>::new(&shape);
    let task = shared_rows_per_task(value.count(), width);
    for_rows(y.as_mut(), width, task, |first, y| {
        gated_rows(&value, &gate, first, kind, y);
    });
    y.into_tensor(shape)
}

multiversion! {
    fn gated_rows<E>(value: &Rows, gate: &Rows, first: usize, kind: GluKind, y: &mut [E]) {
        for (row, y) in (first..).zip(y.chunks_exact_mut(value.width())) {
            forward_row(value.row(row), gate.row(row), kind, y);
        }
    }
}

fn gated_backward<E: Real>(
    value: FlexTensor,
    gate: FlexTensor,
    dy: FlexTensor,
    kind: GluKind,
) -> (FlexTensor, FlexTensor) {
    let (shape, width) = (value.shape(), width(&value));
    let [value, gate, dy] = [value, gate, dy].map(Rows::of);
    let mut dvalue = Buffer::<E>::new(&shape);
    let mut dgate = Buffer::<E>::new(&shape);
    let task = shared_rows_per_task(value.count(), width);
    let parts = dvalue.as_mut().par_chunks_mut(task * width);
    parts
        .zip(dgate.as_mut().par_chunks_mut(task * width))
        .enumerate()
        .for_each(|(part, (dvalue, dgate))| {
            gated_gradients(&value, &gate, &dy, part * task, kind, dvalue, dgate);
        });
    (dvalue.into_tensor(shape.clone()), dgate.into_tensor(shape))
}

multiversion! {
    fn gated_gradients<E>(
        value: &Rows,
        gate: &Rows,
        dy: &Rows,
        first: usize,
        kind: GluKind,
        dvalue: &mut [E],
        dgate: &mut [E],
    ) {
        let width = value.width();
        let rows = dvalue.chunks_exact_mut(width).zip(dgate.chunks_exact_mut(width));
        for (row, out) in (first..).zip(rows) {
            backward_row((value.row(row), gate.row(row)), dy.row(row), kind, out);
        }
    }
}
