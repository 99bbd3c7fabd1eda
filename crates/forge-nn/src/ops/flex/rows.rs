//! Work on rows, spread over the threads.

use std::ops::Range;

use rayon::prelude::*;

use super::Real;

/// Elements that one task handles: large enough to amortise the hand-over, small enough that the
/// rows stay in the second-level cache from one loop over them to the next. Under Miri small
/// tensors must have several tasks.
const TASK: usize = if cfg!(miri) { 16 } else { 32 << 10 };

/// Multiplications that one thread makes sooner than it shares them.
pub(crate) const ALONE: usize = if cfg!(miri) { 0 } else { 1 << 20 };

/// How many tasks of so many multiplications each a thread takes at least: all, where they come to less
/// than [`ALONE`].
pub(crate) fn tasks_together(multiplications: usize) -> usize {
    (ALONE / 2 / multiplications.max(1)).max(1)
}

/// How many rows of `width`, or other pieces of so many elements, a task takes. Depends on the shape
/// alone, not on the number of threads, so that sums over tasks are the same on every machine.
pub(crate) fn rows_per_task(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}

/// As [`rows_per_task`], of `rows` in all: where they are more than one task they make an even number of
/// tasks of about one size, for two threads.
pub(crate) fn shared_rows_per_task(rows: usize, width: usize) -> usize {
    let tasks = match (rows * width).div_ceil(TASK) {
        0 | 1 => 1,
        tasks => tasks.next_multiple_of(2),
    };
    rows.div_ceil(tasks).max(1)
}

/// As [`shared_rows_per_task`], for sums over the rows: of wide rows enough that the sums of a task are
/// little beside its rows.
pub(crate) fn summed_rows_per_task(rows: usize, width: usize) -> usize {
    const LEAST: usize = if cfg!(miri) { 2 } else { 16 };
    shared_rows_per_task(rows, width).max(LEAST)
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
    total(partials, sums)
}

/// `sums` sums over `all` rows: `f` adds those over a range to zeros, for tasks of `rows` consecutive ones;
/// the total in the order of tasks.
pub(crate) fn sums_of_rows<E: Real>(
    all: usize,
    rows: usize,
    sums: usize,
    f: impl Fn(Range<usize>, &mut [E]) + Sync,
) -> Vec<E> {
    let run = |task: usize| {
        let mut partial = vec![E::ZERO; sums];
        f(task * rows..((task + 1) * rows).min(all), &mut partial);
        partial
    };
    match all.div_ceil(rows) {
        0 | 1 => run(0),
        tasks => total((0..tasks).into_par_iter().map(run).collect(), sums),
    }
}

fn total<E: Real>(partials: Vec<Vec<E>>, sums: usize) -> Vec<E> {
    let mut total = vec![E::ZERO; sums];
    for partial in partials {
        for (total, value) in total.iter_mut().zip(partial) {
            *total += value;
        }
    }
    total
}
