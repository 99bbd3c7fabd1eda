//! Products on `flex`: `gemm` reads both sides where they lie, whatever their strides, and the result
//! goes to recycled memory. Burn's own clears fresh memory, copies it, and then writes to it.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{MatmulOps, reference};
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::tasks_together;
use crate::ops::flex::view::by_dtype;
use crate::ops::flex::{Matrices, Matrix, Real, product};

/// Multiplications that a task makes, at least.
const TASK: usize = 1 << 17;
/// Rows of a task, where a product is cut: a multiple of `gemm`'s own blocks.
const ROWS: usize = 192;

impl MatmulOps for Flex {
    fn fused_matmul(lhs: FlexTensor, rhs: FlexTensor) -> FlexTensor {
        if is_for_threads(&lhs, &rhs) {
            return Self::float_matmul(lhs, rhs);
        }
        by_dtype!([&lhs, &rhs], E => {
            products::<E>(&Matrices::of(&lhs), &Matrices::of(&rhs), &lhs)
        }, Self::float_matmul(lhs, rhs))
    }

    fn fused_matmul_backward(
        lhs: FlexTensor,
        rhs: FlexTensor,
        dy: FlexTensor,
        needs_lhs: bool,
        needs_rhs: bool,
    ) -> (FlexTensor, FlexTensor) {
        if is_for_threads(&lhs, &rhs) {
            return reference::backward::<Self>(lhs, rhs, dy, needs_lhs, needs_rhs);
        }
        by_dtype!([&lhs, &rhs, &dy], E => {
            let [left, right, side] = [&lhs, &rhs, &dy].map(Matrices::<E>::of);
            let dlhs = match needs_lhs {
                true => products(&side, &right.transposed(), &lhs),
                false => lhs.clone(),
            };
            let drhs = match needs_rhs {
                true => products(&left.transposed(), &side, &rhs),
                false => rhs.clone(),
            };
            (dlhs, drhs)
        }, reference::backward::<Self>(lhs, rhs, dy, needs_lhs, needs_rhs))
    }
}

/// Whether the work lies in a few products of few rows, which Burn's operation shares among the threads.
fn is_for_threads(lhs: &FlexTensor, rhs: &FlexTensor) -> bool {
    let (left, right) = (lhs.shape(), rhs.shape());
    let rank = left.num_dims();
    let (batches, n) = (left[..rank - 2].iter().product::<usize>(), right[rank - 1]);
    let (m, k) = (left[rank - 2], left[rank - 1]);
    batches * m.div_ceil(ROWS) < 4 && m * k * n >= 4 * TASK
}

/// The products, with the axes of `like` before the last two.
fn products<E: Real>(lhs: &Matrices<E>, rhs: &Matrices<E>, like: &FlexTensor) -> FlexTensor {
    let ([m, k], [inner, n]) = (lhs.size(), rhs.size());
    // The products reach into memory by these sizes.
    assert_eq!((k, lhs.count()), (inner, rhs.count()), "matmul");
    let mut shape = like.shape();
    let rank = shape.num_dims();
    (shape[rank - 2], shape[rank - 1]) = (m, n);
    let mut out = Buffer::<E>::new(&shape);
    // A task is several whole products, or some rows of one; by the sizes alone, so that the order of
    // additions does not depend on the machine.
    let whole = (TASK / (m * k * n)).max(1);
    let rows = match whole == 1 && m * k * n >= 4 * TASK {
        true => ROWS.min(m),
        false => m,
    };
    let one = |batch: usize, row: usize, out: &mut [E]| {
        // SAFETY: `out` are rows of this product alone; both sides lie in the memory of tensors that
        // are held, inside their layouts.
        unsafe {
            product(
                [out.len() / n, k, n],
                Matrix::new(out.as_mut_ptr(), n),
                lhs.matrix(batch, row),
                rhs.matrix(batch, 0),
                E::ONE,
                false,
            );
        }
    };
    let several = |task: usize, out: &mut [E]| {
        for (i, out) in out.chunks_exact_mut(m * n).enumerate() {
            one(task * whole + i, 0, out);
        }
    };
    let all = out.as_mut();
    if all.len() <= whole * m * n && rows == m {
        several(0, all);
    } else if rows == m {
        let tasks = all.par_chunks_mut(whole * m * n).enumerate();
        let tasks = tasks.with_min_len(tasks_together(whole * m * k * n));
        tasks.for_each(|(task, out)| several(task, out));
    } else {
        let batches = all.par_chunks_mut(m * n).enumerate();
        batches.for_each(|(batch, out)| {
            let blocks = out.par_chunks_mut(rows * n).enumerate();
            blocks.for_each(|(block, out)| one(batch, block * rows, out));
        });
    }
    out.into_tensor(shape)
}
