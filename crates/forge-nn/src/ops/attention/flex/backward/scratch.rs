//! The memory of a task of the backward pass.

use crate::ops::attention::flex::Sizes;
use crate::ops::attention::flex::scores::{Call, KEY_TILE, QUERY_TILE};
use crate::ops::flex::{Matrix, Real};

/// Keys that all queries go over before the next ones: keys, values and their gradients of a
/// block stay in the second-level cache, which those of a long sequence would leave from one tile
/// of queries to the next.
pub(super) const KEY_BLOCK: usize = 2 * KEY_TILE;

/// Memory of a task.
pub(super) struct Scratch<E> {
    pub(super) weights: Vec<E>,
    pub(super) dscores: Vec<E>,
    pub(super) slopes: Vec<E>,
    /// A query's `output · dy`, of all the part's heads.
    pub(super) means: Vec<E>,
    // The gradients of the queries, and of a block of keys and values. Dense: the heads' own rows
    // are a token apart, which means many pages and few sets of the cache.
    pub(super) dq: Vec<E>,
    pub(super) dk: Vec<E>,
    pub(super) dv: Vec<E>,
}

impl<E: Real> Scratch<E> {
    /// For parts of `heads` query heads.
    pub(super) fn new(call: &Call<'_, E>, heads: usize) -> Self {
        let Sizes {
            queries,
            keys,
            width,
            value_width,
            ..
        } = call.sizes;
        let tile = QUERY_TILE.min(queries) * KEY_TILE.min(keys);
        let block = KEY_BLOCK.min(keys);
        let slopes = if call.params.softcap.is_some() {
            tile
        } else {
            0
        };
        Self {
            weights: vec![E::ZERO; tile],
            dscores: vec![E::ZERO; tile],
            slopes: vec![E::ZERO; slopes],
            means: vec![E::ZERO; heads * queries],
            dq: vec![E::ZERO; heads * queries * width],
            dk: vec![E::ZERO; block * width],
            dv: vec![E::ZERO; block * value_width],
        }
    }
}

/// Writes dense rows where the heads' rows are.
///
/// # Safety
/// `out` has room for the rows.
pub(super) unsafe fn store<E: Real>(rows: &[E], width: usize, out: Matrix<*mut E>) {
    for (row, values) in rows.chunks_exact(width).enumerate() {
        // SAFETY: by the caller.
        unsafe {
            let out = out.start.offset(row as isize * out.row_stride);
            std::slice::from_raw_parts_mut(out, width).copy_from_slice(values);
        }
    }
}
