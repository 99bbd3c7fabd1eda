//! The backward pass: weights are recomputed tile by tile from the saved row statistics (Dao et al.
//! 2022, Algorithm 4).

use rayon::prelude::*;

use super::scores::{Call, KEY_TILE, QUERY_TILE, Tile};
use super::{Heads, Sizes};
use crate::ops::flex::rows::{map, reduce};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::{Matrix, Real, product};

/// What the forward pass left.
pub(super) struct Saved<'a, E> {
    pub(super) output: Heads<*const E>,
    /// Maximum and inverse sum of each row, as the forward pass stores them.
    pub(super) statistics: &'a [E],
    pub(super) dy: Heads<*const E>,
}

/// Where the gradients go. With causality or a window they must be zeros, since not every tile
/// is visited; otherwise whatever is there is overwritten.
pub(super) struct Gradients<E> {
    pub(super) dq: Heads<*mut E>,
    pub(super) dk: Heads<*mut E>,
    pub(super) dv: Heads<*mut E>,
}

/// A pointer whose targets are written by one task each.
struct Shared<E>(*mut E);
// SAFETY: see the type.
unsafe impl<E> Send for Shared<E> {}
// SAFETY: see the type.
unsafe impl<E> Sync for Shared<E> {}

impl<E> Shared<E> {
    fn get(&self) -> *mut E {
        self.0
    }
}

/// Fills the gradients. A task owns key/value heads, so that all its sums are its own; with a
/// bias, whose gradient sums over the batch, it owns a key/value head of every sample.
pub(super) fn run<E: Real>(
    call: &Call<'_, E>,
    saved: &Saved<'_, E>,
    gradients: &Gradients<E>,
    dbias: Option<&mut [E]>,
) {
    let Sizes { batch, groups, .. } = call.sizes;
    match dbias {
        None => {
            let units = batch * groups;
            let per_task = (units / 64).clamp(1, 16);
            (0..units.div_ceil(per_task))
                .into_par_iter()
                .for_each(|task| {
                    let mut scratch = Scratch::new(&call.sizes, call.params.softcap.is_some());
                    for unit in task * per_task..((task + 1) * per_task).min(units) {
                        let (b, group) = (unit / groups, unit % groups);
                        // SAFETY: this task alone writes to the group's heads of this sample.
                        unsafe {
                            group_backward(call, saved, gradients, None, b, group, &mut scratch)
                        };
                    }
                });
        }
        Some(dbias) => {
            let dbias = Shared(dbias.as_mut_ptr());
            (0..groups).into_par_iter().for_each(|group| {
                let mut scratch = Scratch::new(&call.sizes, call.params.softcap.is_some());
                for b in 0..batch {
                    let dbias = Some(dbias.get());
                    // SAFETY: this task alone writes to the group's heads of any sample.
                    unsafe {
                        group_backward(call, saved, gradients, dbias, b, group, &mut scratch)
                    };
                }
            });
        }
    }
}

struct Scratch<E> {
    weights: Vec<E>,
    dscores: Vec<E>,
    slopes: Vec<E>,
    means: Vec<E>,
}

impl<E: Real> Scratch<E> {
    fn new(sizes: &Sizes, softcap: bool) -> Self {
        let tile = QUERY_TILE.min(sizes.queries) * KEY_TILE.min(sizes.keys);
        Self {
            weights: vec![E::ZERO; tile],
            dscores: vec![E::ZERO; tile],
            slopes: vec![E::ZERO; if softcap { tile } else { 0 }],
            means: vec![E::ZERO; QUERY_TILE],
        }
    }
}

/// The gradients of one key/value head of one sample and of the query heads that share it.
///
/// # Safety
/// Nobody else touches these heads of the gradients, nor these heads of `dbias`.
unsafe fn group_backward<E: Real>(
    call: &Call<'_, E>,
    saved: &Saved<'_, E>,
    gradients: &Gradients<E>,
    dbias: Option<*mut E>,
    b: usize,
    group: usize,
    scratch: &mut Scratch<E>,
) {
    let Sizes {
        heads,
        queries,
        keys,
        width,
        value_width,
        ..
    } = call.sizes;
    let sharing = call.sizes.sharing();
    let key_tile = KEY_TILE.min(keys);
    let structured = call.params.is_structured();
    for h in group * sharing..(group + 1) * sharing {
        for part in 0..queries.div_ceil(QUERY_TILE) {
            let rows = part * QUERY_TILE..((part + 1) * QUERY_TILE).min(queries);
            let count = rows.len();
            // SAFETY: the rows lie within the tensors.
            let (output, dy) = unsafe {
                (
                    saved.output.at(b, h, rows.start),
                    saved.dy.at(b, h, rows.start),
                )
            };
            for row in 0..count {
                // SAFETY: as above.
                let [y, dy] = [output, dy].map(|m| unsafe {
                    let start = m.start.offset(row as isize * m.row_stride);
                    std::slice::from_raw_parts(start, value_width)
                });
                scratch.means[row] = dot(y, dy);
            }
            let statistics =
                &saved.statistics[2 * ((b * heads + h) * queries + rows.start)..][..2 * count];
            let later_query = structured || part > 0 || h > group * sharing;
            let visible = call.visible(&rows);
            let mut start = visible.start;
            while start < visible.end {
                let tile = Tile {
                    batch: b,
                    head: h,
                    queries: rows.clone(),
                    keys: start..(start + key_tile).min(visible.end),
                };
                let columns = tile.keys.len();
                let len = count * columns;
                let weights = &mut scratch.weights[..len];
                let dscores = &mut scratch.dscores[..len];
                let slopes = call.params.softcap.map(|_| &mut scratch.slopes[..len]);
                call.fill(&tile, weights, slopes);
                normalise(weights, statistics, call.hides());
                // SAFETY: the tile lies within the tensors.
                unsafe {
                    product(
                        [count, value_width, columns],
                        Matrix::new(dscores.as_mut_ptr(), columns),
                        dy,
                        call.v.at(b, group, start).transposed(),
                        E::ONE,
                        false,
                    );
                }
                if let Some(mask) = call.dropout() {
                    call.drop(&tile, mask, dscores);
                    score_gradients(weights, dscores, &scratch.means[..count]);
                    // Only now: the softmax's slope needs the weights before dropout.
                    call.drop(&tile, mask, weights);
                } else {
                    score_gradients(weights, dscores, &scratch.means[..count]);
                }
                // SAFETY: the caller owns these heads of the gradients.
                unsafe {
                    product(
                        [columns, count, value_width],
                        gradients.dv.at(b, group, start),
                        Matrix::new(weights.as_ptr(), columns).transposed(),
                        dy,
                        E::ONE,
                        later_query,
                    );
                    if let Some(dbias) = dbias {
                        for (row, query) in rows.clone().enumerate() {
                            let at = (h * queries + query) * keys + start;
                            let dbias = std::slice::from_raw_parts_mut(dbias.add(at), columns);
                            for (sum, &value) in dbias.iter_mut().zip(&dscores[row * columns..]) {
                                *sum += value;
                            }
                        }
                    }
                    if call.params.softcap.is_some() {
                        for (d, &slope) in dscores.iter_mut().zip(&scratch.slopes) {
                            *d *= slope;
                        }
                    }
                    let scale = E::of(call.params.scale);
                    let dscores = Matrix::new(dscores.as_ptr(), columns);
                    product(
                        [count, columns, width],
                        gradients.dq.at(b, h, rows.start),
                        dscores,
                        call.k.at(b, group, start),
                        scale,
                        structured || start > 0,
                    );
                    product(
                        [columns, count, width],
                        gradients.dk.at(b, group, start),
                        dscores.transposed(),
                        call.q.at(b, h, rows.start),
                        scale,
                        later_query,
                    );
                }
                start = tile.keys.end;
            }
        }
    }
}

multiversion! {
    fn dot<E>(a: &[E], b: &[E]) -> E {
        reduce(a, b, |a, b| a * b)
    }
}

multiversion! {
    /// Scores to weights, given maximum and inverse sum of each row.
    fn normalise<E>(scores: &mut [E], statistics: &[E], hides: bool) {
        let columns = 2 * scores.len() / statistics.len();
        for (row, numbers) in scores.chunks_exact_mut(columns).zip(statistics.chunks_exact(2)) {
            let (highest, inverse) = (numbers[0], numbers[1]);
            if hides {
                map(row, |score| {
                    let weight = (score - highest).exp() * inverse;
                    if score > E::LOWEST { weight } else { E::ZERO }
                });
            } else {
                map(row, |score| (score - highest).exp() * inverse);
            }
        }
    }
}

multiversion! {
    /// `dscores` holds the gradients of the weights and gets those of the scores:
    /// `ds = w (dw - Σ w dw)`, where the sum is that of output times its gradient.
    fn score_gradients<E>(weights: &[E], dscores: &mut [E], means: &[E]) {
        let columns = weights.len() / means.len();
        let rows = weights.chunks_exact(columns).zip(dscores.chunks_exact_mut(columns));
        for ((weights, dscores), &mean) in rows.zip(means) {
            for (d, &weight) in dscores.iter_mut().zip(weights) {
                *d = weight * (*d - mean);
            }
        }
    }
}
