//! Work on rows, spread over the threads.

use rayon::prelude::*;

use super::Real;

/// Elements that one task handles: large enough to amortise the hand-over, small enough that the
/// rows stay in the second-level cache from one loop over them to the next.
const TASK: usize = 32 << 10;

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

/// How many elements the loops below take at a time: two of the widest registers of `f32`.
const LANES: usize = 32;

/// Up to [`LANES`] elements, filled up with `fill`: loops over short rows stay free of a scalar
/// rest, which for a row of 41 tokens would take most of the time.
#[inline(always)]
fn padded<E: Real>(rest: &[E], fill: E) -> [E; LANES] {
    let mut block = [fill; LANES];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// `x ← f(x)` for all elements.
#[inline(always)]
pub(crate) fn map<E: Real>(values: &mut [E], f: impl Fn(E) -> E) {
    let mut blocks = values.chunks_exact_mut(LANES);
    for block in &mut blocks {
        for x in block {
            *x = f(*x);
        }
    }
    let rest = blocks.into_remainder();
    if !rest.is_empty() {
        let mut block = padded(rest, E::ZERO);
        for x in &mut block {
            *x = f(*x);
        }
        rest.copy_from_slice(&block[..rest.len()]);
    }
}

/// The sum of `f(a, b)` over two equally long slices, in a fixed number of running sums so that
/// the loop vectorises (and rounds less than one running sum would).
#[inline(always)]
pub(crate) fn reduce<E: Real>(a: &[E], b: &[E], f: impl Fn(E, E) -> E) -> E {
    let mut lanes = [E::ZERO; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_rest, b_rest) = (a_blocks.remainder(), b_blocks.remainder());
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            lanes[lane] += f(a[lane], b[lane]);
        }
    }
    if !a_rest.is_empty() {
        let (a, b) = (padded(a_rest, E::ZERO), padded(b_rest, E::ZERO));
        for lane in 0..LANES {
            let value = f(a[lane], b[lane]);
            lanes[lane] += if lane < a_rest.len() { value } else { E::ZERO };
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] += other;
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest element; [`Real::LOWEST`] of none.
#[inline(always)]
pub(crate) fn maximum<E: Real>(values: &[E]) -> E {
    let mut lanes = [E::LOWEST; LANES];
    let blocks = values.chunks_exact(LANES);
    let rest = padded(blocks.remainder(), E::LOWEST);
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] = block[lane].larger(lanes[lane]);
        }
    }
    for lane in 0..LANES {
        lanes[lane] = rest[lane].larger(lanes[lane]);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = lanes[lane].larger(lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}
