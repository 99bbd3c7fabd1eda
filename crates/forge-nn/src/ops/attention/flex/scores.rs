//! One tile of scores: product, softcap, bias and masks.

use core::ops::Range;

use super::{Heads, MaskBytes, Sizes};
use crate::ops::attention::AttentionParams;
use crate::ops::dropout_mask::DropoutMask;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::{Matrix, Real, product};

/// Queries of a product of scores; long sequences have several of them in a tile of the forward
/// pass. Under Miri small inputs must reach every loop.
pub(super) const QUERY_TILE: usize = if cfg!(miri) { 3 } else { 128 };
/// Keys of a tile: with 128 queries of `f32`, 128 KiB of scores.
pub(super) const KEY_TILE: usize = if cfg!(miri) { 5 } else { 256 };

/// The inputs of one call.
pub(super) struct Call<'a, E> {
    pub(super) sizes: Sizes,
    pub(super) params: AttentionParams,
    pub(super) q: Heads<*const E>,
    pub(super) k: Heads<*const E>,
    pub(super) v: Heads<*const E>,
    pub(super) bias: Option<&'a [E]>,
    pub(super) mask: Option<MaskBytes<'a>>,
}

/// Queries and keys of one tile of one head.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) batch: usize,
    pub(super) head: usize,
    pub(super) queries: Range<usize>,
    pub(super) keys: Range<usize>,
}

impl Tile {
    /// The row of `query` among all rows of the scores `[B, H, Tq]`.
    fn row(&self, sizes: &Sizes, query: usize) -> u64 {
        ((self.batch * sizes.heads + self.head) * sizes.queries + query) as u64
    }
}

impl<E: Real> Call<'_, E> {
    /// The keys that any of `queries` may see.
    pub(super) fn visible(&self, queries: &Range<usize>) -> Range<usize> {
        let Sizes {
            queries: all, keys, ..
        } = self.sizes;
        if !self.params.is_structured() || queries.is_empty() {
            return 0..keys;
        }
        // Both ends move with the query, so the first and the last query bound the rest.
        let first = self.params.key_range(queries.start, all, keys);
        let last = self.params.key_range(queries.end - 1, all, keys);
        let range = first.start.min(last.start)..first.end.max(last.end);
        if range.start < range.end { range } else { 0..0 }
    }

    /// The tile of keys from `start` on, of those that some of a tile's queries see, `visible`. Tiles
    /// end at multiples of [`KEY_TILE`], wherever the visible ones start: so both passes cut alike.
    pub(super) fn key_tile(start: usize, visible: &Range<usize>) -> Range<usize> {
        start..((start / KEY_TILE + 1) * KEY_TILE).min(visible.end)
    }

    /// Whether some scores of the call may be hidden.
    fn hides(&self) -> bool {
        self.mask.is_some() || self.params.is_structured()
    }

    /// Whether `query` may attend to some key. For rows whose weights sum to 0, which tells those
    /// without a key from those with scores of -∞ alone.
    pub(super) fn sees_any(&self, batch: usize, head: usize, query: usize) -> bool {
        let Sizes { queries, keys, .. } = self.sizes;
        let mut seen = self.params.key_range(query, queries, keys);
        match &self.mask {
            None => !seen.is_empty(),
            Some(mask) => {
                let (bytes, stride) = mask.row(batch, head, query);
                seen.any(|key| bytes[key * stride] != 0)
            }
        }
    }

    /// Fills `scores` (`queries × keys` of the tile, dense) with the masked scores; hidden ones
    /// are -∞. `slopes`, if wanted, gets `1 - tanh²` of a softcap.
    ///
    /// The product is taken in steps of [`QUERY_TILE`] rows, so that each score is rounded alike
    /// in a tile of the forward pass, which may have several, and in one of the backward pass: how
    /// many rows a product has decides in which order `gemm` adds. The weights of a row with scores
    /// of 1e5 would else no longer sum to 1.
    pub(super) fn fill(&self, tile: &Tile, scores: &mut [E], slopes: Option<&mut [E]>) {
        let group = tile.head / self.sizes.sharing();
        let columns = tile.keys.len();
        let steps = scores.chunks_mut(QUERY_TILE * columns);
        for (scores, start) in steps.zip(tile.queries.clone().step_by(QUERY_TILE)) {
            // SAFETY: the tile lies within the tensors, and `scores` holds whole rows of it.
            unsafe {
                product(
                    [scores.len() / columns, self.sizes.width, columns],
                    Matrix::new(scores.as_mut_ptr(), columns),
                    self.q.at(tile.batch, tile.head, start),
                    self.k.at(tile.batch, group, tile.keys.start).transposed(),
                    E::of(self.params.scale),
                    false,
                );
            }
        }
        if let Some(cap) = self.params.softcap {
            squash(scores, E::of(cap), slopes.unwrap_or_default());
        }
        if let Some(bias) = self.bias {
            let Sizes { queries, keys, .. } = self.sizes;
            for (row, query) in scores.chunks_exact_mut(columns).zip(tile.queries.clone()) {
                let start = (tile.head * queries + query) * keys + tile.keys.start;
                for (score, &bias) in row.iter_mut().zip(&bias[start..]) {
                    *score += bias;
                }
            }
        }
        if self.hides() {
            self.hide(tile, scores);
        }
    }

    fn hide(&self, tile: &Tile, scores: &mut [E]) {
        let Sizes { queries, keys, .. } = self.sizes;
        let columns = tile.keys.len();
        for (row, query) in scores.chunks_exact_mut(columns).zip(tile.queries.clone()) {
            if self.params.is_structured() {
                let seen = self.params.key_range(query, queries, keys);
                let start = seen.start.clamp(tile.keys.start, tile.keys.end) - tile.keys.start;
                let end = seen.end.clamp(tile.keys.start, tile.keys.end) - tile.keys.start;
                row[..start].fill(E::HIDDEN);
                row[end.max(start)..].fill(E::HIDDEN);
            }
            if let Some(mask) = &self.mask {
                let (bytes, stride) = mask.row(tile.batch, tile.head, query);
                if stride == 1 {
                    for (score, &byte) in row.iter_mut().zip(&bytes[tile.keys.start..]) {
                        *score = if byte == 0 { E::HIDDEN } else { *score };
                    }
                } else if bytes[0] == 0 {
                    row.fill(E::HIDDEN);
                }
            }
        }
    }

    /// The dropout mask, if there is dropout.
    pub(super) fn dropout(&self) -> Option<DropoutMask> {
        (self.params.dropout > 0.0).then(|| DropoutMask::new(self.params.seed, self.params.dropout))
    }

    /// Multiplies the tile's weights (or their gradients) by the dropout mask.
    pub(super) fn drop(&self, tile: &Tile, mask: DropoutMask, weights: &mut [E]) {
        let columns = tile.keys.len();
        for (row, query) in weights.chunks_exact_mut(columns).zip(tile.queries.clone()) {
            let key = mask.row_key(tile.row(&self.sizes, query));
            drop_row(row, key, tile.keys.start as u32, mask, E::of(mask.scale()));
        }
    }
}

multiversion! {
    fn drop_row<E>(row: &mut [E], key: u32, first: u32, mask: DropoutMask, scale: E) {
        for (column, weight) in row.iter_mut().enumerate() {
            let factor = if mask.keeps(key, first + column as u32) { scale } else { E::ZERO };
            *weight *= factor;
        }
    }
}

multiversion! {
    /// `c tanh(s / c)`; `slopes` is empty or gets `1 - tanh²(s / c)`.
    fn squash<E>(scores: &mut [E], cap: E, slopes: &mut [E]) {
        let inverse = E::ONE / cap;
        if slopes.is_empty() {
            scores.iter_mut().for_each(|s| *s = cap * (*s * inverse).tanh());
        } else {
            for (s, slope) in scores.iter_mut().zip(slopes) {
                let t = (*s * inverse).tanh();
                *slope = E::ONE - t * t;
                *s = cap * t;
            }
        }
    }
}
