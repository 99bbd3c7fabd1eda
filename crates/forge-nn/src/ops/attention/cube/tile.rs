//! Products between the rows that a unit owns and a block of rows in memory.
//!
//! An owned row is a lane: `rows[d]` holds feature `d` of all of them.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::{Form, Head};
use crate::ops::cube::number::lanes;

/// The owned rows, all zero.
#[cube]
pub(super) fn zeros<C: Float, N: Size>(
    #[comptime] width: usize,
    #[comptime] form: Form,
) -> Array<Vector<C, N>> {
    let mut rows = Array::<Vector<C, N>>::new(width);
    #[unroll(form.unroll)]
    for d in 0..width {
        rows[d] = lanes::<C, N>(0.0_f32);
    }
    rows
}

/// The owned rows from memory; rows beyond the head as copies of its last.
#[cube]
pub(super) fn load<E: Float, C: Float, W: Size, N: Size>(
    memory: &[Vector<E, W>],
    head: &Head,
    first: usize,
    #[comptime] width: usize,
    #[comptime] form: Form,
) -> Array<Vector<C, N>> {
    let vector = W::value().comptime();
    let count = N::value().comptime();
    let mut rows = Array::<Vector<C, N>>::new(width);
    #[unroll(form.unroll)]
    for step in 0..comptime![width / vector] {
        #[unroll]
        for lane in 0..count {
            let loaded = Vector::<C, W>::cast_from(memory[head.row(first + lane) + step]);
            #[unroll]
            for w in 0..vector {
                let mut feature = rows[step * vector + w];
                feature.insert(lane, loaded.extract(w));
                rows[step * vector + w] = feature;
            }
        }
    }
    rows
}

/// The owned rows to memory; rows beyond the head are left out.
#[cube]
pub(super) fn store<E: Float, C: Float, W: Size, N: Size>(
    rows: &Array<Vector<C, N>>,
    memory: &mut [Vector<E, W>],
    head: &Head,
    first: usize,
    #[comptime] width: usize,
    #[comptime] form: Form,
) {
    let vector = W::value().comptime();
    let count = N::value().comptime();
    #[unroll(form.unroll)]
    for step in 0..comptime![width / vector] {
        #[unroll]
        for lane in 0..count {
            if first + lane < head.rows {
                let mut stored = Vector::<C, W>::empty();
                #[unroll]
                for w in 0..vector {
                    stored.insert(w, rows[step * vector + w].extract(lane));
                }
                memory[head.row(first + lane) + step] = Vector::cast_from(stored);
            }
        }
    }
}

/// `sums[j] = Σ_d rows[d] · memory[first + j][d]`; block rows beyond the head are read as its last.
#[cube]
pub(super) fn multiply<E: Float, C: Float, W: Size, N: Size>(
    sums: &mut Array<Vector<C, N>>,
    rows: &Array<Vector<C, N>>,
    memory: &[Vector<E, W>],
    head: &Head,
    first: usize,
    #[comptime] width: usize,
    #[comptime] form: Form,
) {
    let vector = W::value().comptime();
    #[unroll]
    for j in 0..form.block {
        sums[j] = lanes::<C, N>(0.0_f32);
    }
    #[unroll(form.unroll)]
    for d in 0..comptime![width / vector] {
        #[unroll]
        for j in 0..form.block {
            let loaded = Vector::<C, W>::cast_from(memory[head.row(first + j) + d]);
            #[unroll]
            for w in 0..vector {
                sums[j] += rows[d * vector + w] * Vector::new(loaded.extract(w));
            }
        }
    }
}

/// `rows[d] = rows[d] · factor + Σ_j weights[j] · memory[first + j][d]`. Weights of block rows
/// beyond the head must be zero.
#[cube]
#[allow(clippy::too_many_arguments)]
pub(super) fn accumulate<E: Float, C: Float, W: Size, N: Size>(
    rows: &mut Array<Vector<C, N>>,
    factor: Vector<C, N>,
    weights: &Array<Vector<C, N>>,
    memory: &[Vector<E, W>],
    head: &Head,
    first: usize,
    #[comptime] width: usize,
    #[comptime] form: Form,
) {
    let vector = W::value().comptime();
    #[unroll(form.unroll)]
    for d in 0..comptime![width / vector] {
        let mut sums = Array::<Vector<C, N>>::new(vector);
        #[unroll]
        for w in 0..vector {
            sums[w] = rows[d * vector + w] * factor;
        }
        #[unroll]
        for j in 0..form.block {
            let loaded = Vector::<C, W>::cast_from(memory[head.row(first + j) + d]);
            #[unroll]
            for w in 0..vector {
                sums[w] += weights[j] * Vector::new(loaded.extract(w));
            }
        }
        #[unroll]
        for w in 0..vector {
            rows[d * vector + w] = sums[w];
        }
    }
}

/// `Σ_d a[d] · b[d]` of each owned row.
#[cube]
pub(super) fn row_products<E: Float, C: Float, W: Size, N: Size>(
    a: &[Vector<E, W>],
    a_head: &Head,
    b: &[Vector<E, W>],
    b_head: &Head,
    first: usize,
    #[comptime] width: usize,
) -> Vector<C, N> {
    let vector = W::value().comptime();
    let count = N::value().comptime();
    let mut sums = lanes::<C, N>(0.0_f32);
    #[unroll]
    for lane in 0..count {
        let a_start = a_head.row(first + lane);
        let b_start = b_head.row(first + lane);
        let mut products = lanes::<C, W>(0.0_f32);
        for step in 0..comptime![width / vector] {
            products +=
                Vector::<C, W>::cast_from(a[a_start + step]) * Vector::cast_from(b[b_start + step]);
        }
        sums.insert(lane, products.vector_sum());
    }
    sums
}
