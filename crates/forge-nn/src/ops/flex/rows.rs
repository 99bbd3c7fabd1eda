//! Work on rows, spread over the threads.

use rayon::prelude::*;

use super::Real;

/// Elements that one task handles: large enough to amortise the hand-over, small enough that the
/// rows stay in the second-level cache from one loop over them to the next. Under Miri small
/// tensors must have several tasks.
const TASK: usize = if cfg!(miri) { 16 } else { 32 << 10 };

/// How many rows of `width` a task takes. Depends on the shape alone, not on the number of
/// threads, so that sums over tasks are the same on every machine.
pub(crate) fn rows_per_task(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}

/// Calls `f(first row, rows of out)` for tasks of consecutive rows.
pub(crate) fn for_rows<E: Real>(
    out: &mut [E],
    width: usize,
    rows: usize,
    f: impl Fn(usize, &mut [E]) + Sync,
) {
    if out.len() <= rows * width {
        f(0, out);
    } else {
        out.par_chunks_mut(rows * width)
            .enumerate()
            .for_each(|(task, out)| f(task * rows, out));
    }
}

/// Like [`for_rows`], where each task also returns partial sums; the total in the order of tasks.
pub(crate) fn for_rows_summing<E: Real>(
    out: &mut [E],
    width: usize,
    rows: usize,
    sums: usize,
    f: impl Fn(usize, &mut [E], &mut [E]) + Sync,
) -> Vec<E> {
    let run = |(task, out): (usize, &mut [E])| {
        let mut partial = vec![E::ZERO; sums];
        f(task * rows, out, &mut partial);
        partial
    };
    let partials: Vec<Vec<E>> = if out.len() <= rows * width {
        vec![run((0, out))]
    } else {
        out.par_chunks_mut(rows * width)
            .enumerate()
            .map(run)
            .collect()
    };
    let mut total = vec![E::ZERO; sums];
    for partial in partials {
        for (total, value) in total.iter_mut().zip(partial) {
            *total += value;
        }
    }
    total
}
