//! The forward pass: an online softmax over tiles of keys (Milakov and Gimelshein 2018).

use rayon::prelude::*;

use super::scores::{Call, KEY_TILE, QUERY_TILE, Tile};
use super::{Heads, Shared, Sizes};
use crate::ops::flex::row::{map, maximum, reduce};
use crate::ops::flex::rows::tasks_together;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::{Matrix, Real, product};

/// Queries of a tile, a multiple of [`QUERY_TILE`]. Each tile reads all keys and values, which for a
/// long sequence come from the third-level cache: the more queries, the fewer times. Eight tiles
/// per head leave enough tasks.
///
/// With causality or a window a tile is that of the backward pass: which keys a tile sees depends
/// on its queries, and the products of both passes must be the same.
fn query_tile(queries: usize, structured: bool) -> usize {
    if structured {
        return QUERY_TILE;
    }
    (queries / 8 / QUERY_TILE * QUERY_TILE).clamp(QUERY_TILE, 4 * QUERY_TILE)
}

/// Fills `output`, and `statistics` `[B, H, Tq, 2]` with the maximum of each row of scores and the
/// inverse of its sum of exponentials, 0 for a row without a key. Two numbers, since their
/// combination, the log-sum, loses the digits of large scores.
///
/// Where a row's formula gives NaN (a score that is NaN or +∞, or none above -∞), its sum is NaN or
/// 0, and the row comes out as NaN: the loops over scores need not look.
pub(super) fn run<E: Real>(call: &Call<'_, E>, output: Heads<*mut E>, statistics: &mut [E]) {
    let Sizes {
        batch,
        heads,
        queries,
        keys,
        value_width,
        ..
    } = call.sizes;
    let query_tile = query_tile(queries, call.params.is_structured());
    let query_tiles = queries.div_ceil(query_tile);
    let tiles = batch * heads * query_tiles;
    let statistics = Shared(statistics.as_mut_ptr());
    let per_task = (tiles / 64).clamp(1, 16);
    let key_tile = KEY_TILE.min(keys);
    let of_task = call
        .sizes
        .multiplications(per_task * query_tile.min(queries));
    (0..tiles.div_ceil(per_task))
        .into_par_iter()
        .with_min_len(tasks_together(of_task))
        .for_each(|task| {
            let rows = query_tile.min(queries);
            let mut scores = vec![E::ZERO; rows * key_tile];
            let mut highest = vec![E::ZERO; rows];
            let mut sums = vec![E::ZERO; rows];
            for index in task * per_task..((task + 1) * per_task).min(tiles) {
                let (head, part) = (index / query_tiles, index % query_tiles);
                let (b, h) = (head / heads, head % heads);
                let rows = part * query_tile..((part + 1) * query_tile).min(queries);
                let count = rows.len();
                let (highest, sums) = (&mut highest[..count], &mut sums[..count]);
                highest.fill(E::LOWEST);
                sums.fill(E::ZERO);
                // SAFETY: tiles of queries are disjoint, and each is run by one task.
                let out = unsafe { output.at(b, h, rows.start) };
                let visible = call.visible(&rows);
                let mut first = true;
                let mut start = visible.start;
                while start < visible.end {
                    let tile = Tile {
                        batch: b,
                        head: h,
                        queries: rows.clone(),
                        keys: Call::<E>::key_tile(start, &visible),
                    };
                    let scores = &mut scores[..count * tile.keys.len()];
                    call.fill(&tile, scores, None);
                    // SAFETY: `out` has `count` rows of `value_width`, each at its own place.
                    unsafe { exponentials(scores, highest, sums, out, value_width) };
                    if let Some(mask) = call.dropout() {
                        call.drop(&tile, mask, scores);
                    }
                    // SAFETY: the tile lies within the tensors; `out` is not read elsewhere.
                    unsafe {
                        product(
                            [count, tile.keys.len(), value_width],
                            out,
                            Matrix::new(scores.as_ptr(), tile.keys.len()),
                            call.v.at(b, h / call.sizes.sharing(), start),
                            E::ONE,
                            !first,
                        );
                    }
                    first = false;
                    start = tile.keys.end;
                }
                for row in 0..count {
                    let query = rows.start + row;
                    let inverse = match sums[row] {
                        sum if sum == E::ZERO && !call.sees_any(b, h, query) => E::ZERO,
                        sum => E::ONE / sum,
                    };
                    // SAFETY: the row lies within this task's tile of queries.
                    let out = unsafe {
                        std::slice::from_raw_parts_mut(
                            out.start.offset(row as isize * out.row_stride),
                            value_width,
                        )
                    };
                    if inverse == E::ZERO {
                        out.fill(E::ZERO);
                    } else {
                        out.iter_mut().for_each(|out| *out *= inverse);
                    }
                    let at = 2 * (head * queries + query);
                    // SAFETY: each row of each head is written by its own task.
                    unsafe {
                        statistics.get().add(at).write(highest[row]);
                        statistics.get().add(at + 1).write(inverse);
                    }
                }
            }
        });
}

/// Turns a tile of scores into `exp(score - maximum so far)`, and brings the sums and the output
/// of earlier tiles to the new maximum.
///
/// # Safety
/// `out` has a row of `width` elements for each row of scores.
unsafe fn exponentials<E: Real>(
    scores: &mut [E],
    highest: &mut [E],
    sums: &mut [E],
    out: Matrix<*mut E>,
    width: usize,
) {
    let columns = scores.len() / highest.len();
    for (row, scores) in scores.chunks_exact_mut(columns).enumerate() {
        let factor = exponential_row(scores, &mut highest[row], &mut sums[row]);
        if factor != E::ONE {
            // SAFETY: by the caller.
            let out = unsafe {
                std::slice::from_raw_parts_mut(
                    out.start.offset(row as isize * out.row_stride),
                    width,
                )
            };
            out.iter_mut().for_each(|out| *out *= factor);
        }
    }
}

multiversion! {
    /// What earlier output is to be multiplied by.
    fn exponential_row<E>(scores: &mut [E], highest: &mut E, sum: &mut E) -> E {
        let before = *highest;
        // At least the lowest finite number, from which on the term of a hidden score is 0.
        let now = maximum(scores).larger(before);
        map(scores, |score| (score - now).exp());
        let added = reduce(scores, scores, |term, _| term);
        *highest = now;
        // Not `> 0`: a sum that is NaN stays.
        if *sum == E::ZERO {
            *sum = added;
            E::ONE
        } else {
            let factor = (before - now).exp();
            *sum = *sum * factor + added;
            factor
        }
    }
}
