//! What one task of the backward pass does: query heads that share a key/value head.

use core::ops::Range;

use super::scratch::{KEY_BLOCK, Scratch, store};
use super::tile::{dot, normalise, score_gradients};
use super::{Gradients, Saved};
use crate::ops::attention::flex::Sizes;
use crate::ops::attention::flex::scores::{Call, QUERY_TILE, Tile};
use crate::ops::flex::{Matrix, Real, product};

/// Query heads of one sample, all of one key/value head.
pub(super) struct Part {
    pub(super) batch: usize,
    pub(super) group: usize,
    pub(super) heads: Range<usize>,
    /// The head of `dk` and `dv` that this part writes.
    pub(super) target: usize,
}

impl Part {
    /// The gradients of the part's key/value head and of its query heads.
    ///
    /// # Safety
    /// Nobody else touches these heads of the gradients, nor these heads of `dbias`.
    pub(super) unsafe fn run<E: Real>(
        &self,
        call: &Call<'_, E>,
        saved: &Saved<'_, E>,
        gradients: &Gradients<E>,
        dbias: Option<*mut E>,
        scratch: &mut Scratch<E>,
    ) {
        let Sizes {
            queries,
            keys,
            width,
            value_width,
            ..
        } = call.sizes;
        let structured = call.params.is_structured();
        if structured {
            scratch.dq.fill(E::ZERO);
        }
        self.means(call, saved, &mut scratch.means);
        for from in (0..keys).step_by(KEY_BLOCK) {
            let block = from..(from + KEY_BLOCK).min(keys);
            if structured {
                scratch.dk.fill(E::ZERO);
                scratch.dv.fill(E::ZERO);
            }
            let mut first = !structured;
            for head in self.heads.clone() {
                for start in (0..queries).step_by(QUERY_TILE) {
                    let rows = start..(start + QUERY_TILE).min(queries);
                    let seen = call.visible(&rows);
                    let seen = seen.start.max(block.start)..seen.end.min(block.end);
                    let mut start = seen.start;
                    while start < seen.end {
                        let tile = Tile {
                            batch: self.batch,
                            head,
                            queries: rows.clone(),
                            keys: Call::<E>::key_tile(start, &seen),
                        };
                        start = tile.keys.end;
                        // SAFETY: by the caller.
                        unsafe { self.tile(call, saved, dbias, &tile, from, first, scratch) };
                    }
                    first = false;
                }
            }
            // SAFETY: by the caller.
            unsafe {
                let dk = gradients.dk.at(self.batch, self.target, from);
                store(&scratch.dk[..block.len() * width], width, dk);
                let dv = gradients.dv.at(self.batch, self.target, from);
                store(&scratch.dv[..block.len() * value_width], value_width, dv);
            }
        }
        let dq = scratch.dq.chunks_exact(queries * width);
        for (head, dq) in self.heads.clone().zip(dq) {
            // SAFETY: by the caller.
            unsafe { store(dq, width, gradients.dq.at(self.batch, head, 0)) };
        }
    }

    /// `output · dy` of each row: the part of the softmax's slope that the whole row shares.
    fn means<E: Real>(&self, call: &Call<'_, E>, saved: &Saved<'_, E>, means: &mut [E]) {
        let queries = call.sizes.queries;
        let width = call.sizes.value_width;
        for (head, means) in self.heads.clone().zip(means.chunks_exact_mut(queries)) {
            for (query, mean) in means.iter_mut().enumerate() {
                // SAFETY: the row lies within the tensors.
                let [y, dy] = [saved.output, saved.dy].map(|heads| unsafe {
                    std::slice::from_raw_parts(heads.at(self.batch, head, query).start, width)
                });
                *mean = dot(y, dy);
            }
        }
    }

    /// Adds what one tile gives to the gradients in `scratch` and to `dbias`; `scratch.dk` and `scratch.dv` start at key
    /// `from`, and are overwritten if the tile's queries are the `first`.
    ///
    /// # Safety
    /// As [`run`](Self::run).
    #[allow(clippy::too_many_arguments)]
    unsafe fn tile<E: Real>(
        &self,
        call: &Call<'_, E>,
        saved: &Saved<'_, E>,
        dbias: Option<*mut E>,
        tile: &Tile,
        from: usize,
        first: bool,
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
        let (count, columns) = (tile.queries.len(), tile.keys.len());
        let len = count * columns;
        let row = tile.queries.start;
        let weights = &mut scratch.weights[..len];
        let dscores = &mut scratch.dscores[..len];
        let slopes = call.params.softcap.map(|_| &mut scratch.slopes[..len]);
        let own = (tile.head - self.heads.start) * queries + row;
        let means = &scratch.means[own..][..count];
        let dq = scratch.dq[own * width..].as_mut_ptr();
        let statistics = (tile.batch * heads + tile.head) * queries + row;
        let statistics = &saved.statistics[2 * statistics..][..2 * count];
        call.fill(tile, weights, slopes);
        normalise(weights, statistics);
        // SAFETY: the tile lies within the tensors.
        let dy = unsafe { saved.dy.at(tile.batch, tile.head, row) };
        // SAFETY: as above.
        unsafe {
            product(
                [count, value_width, columns],
                Matrix::new(dscores.as_mut_ptr(), columns),
                dy,
                call.v
                    .at(tile.batch, self.group, tile.keys.start)
                    .transposed(),
                E::ONE,
                false,
            );
        }
        score_gradients_and_drop(call, tile, weights, dscores, means);
        let dk = scratch.dk[(tile.keys.start - from) * width..].as_mut_ptr();
        let dv = scratch.dv[(tile.keys.start - from) * value_width..].as_mut_ptr();
        // SAFETY: the caller owns these heads of the gradients, and the block holds the tile.
        unsafe {
            product(
                [columns, count, value_width],
                Matrix::new(dv, value_width),
                Matrix::new(weights.as_ptr(), columns).transposed(),
                dy,
                E::ONE,
                !first,
            );
            if let Some(dbias) = dbias {
                for (row, query) in tile.queries.clone().enumerate() {
                    let at = (tile.head * queries + query) * keys + tile.keys.start;
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
                Matrix::new(dq, width),
                dscores,
                call.k.at(tile.batch, self.group, tile.keys.start),
                scale,
                call.params.is_structured() || tile.keys.start > 0,
            );
            product(
                [columns, count, width],
                Matrix::new(dk, width),
                dscores.transposed(),
                call.q.at(tile.batch, tile.head, row),
                scale,
                !first,
            );
        }
    }
}

/// The gradients of the weights become those of the scores, and the weights what multiplied the
/// values.
fn score_gradients_and_drop<E: Real>(
    call: &Call<'_, E>,
    tile: &Tile,
    weights: &mut [E],
    dscores: &mut [E],
    means: &[E],
) {
    match call.dropout() {
        None => score_gradients(weights, dscores, means),
        Some(mask) => {
            call.drop(tile, mask, dscores);
            score_gradients(weights, dscores, means);
            // Only now: the softmax's slope needs the weights before dropout.
            call.drop(tile, mask, weights);
        }
    }
}
