//! Which rows a unit owns, and which queries and keys a block of scores stands for.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::{Form, Problem};

/// The rows that a unit owns, one to a lane: queries of a head or keys of a group.
#[derive(Clone, Copy, CubeType)]
pub(super) struct Owned {
    pub(super) batch: usize,
    pub(super) head: usize,
    pub(super) first: usize,
    /// The last that exists.
    pub(super) last: usize,
}

/// What the unit at `position` owns; there may be nothing behind the last sample.
#[cube]
pub(super) fn owned<N: Size>(position: usize, heads: usize, rows: usize) -> Owned {
    let count = N::value().comptime();
    let tiles = rows.div_ceil(count);
    let first = position % tiles * count;
    Owned {
        batch: position / tiles / heads,
        head: position / tiles % heads,
        first,
        last: min(first + count, rows) - 1,
    }
}

/// The first and the one after the last key that `query` sees.
#[cube]
pub(super) fn key_range(query: usize, problem: &Problem) -> (usize, usize) {
    let keys = problem.keys as i32;
    let own = query as i32 + keys - problem.queries as i32;
    let first = clamp(own - problem.left, 0, keys);
    let end = clamp(own + problem.right + 1, 0, keys);
    (first as usize, max(first, end) as usize)
}

/// The first and the one after the last query that may see `key`.
#[cube]
pub(super) fn query_range(key: usize, problem: &Problem) -> (usize, usize) {
    let queries = problem.queries as i32;
    let own = key as i32 + queries - problem.keys as i32;
    let first = clamp(own - problem.right, 0, queries);
    let end = clamp(own + problem.left + 1, 0, queries);
    (first as usize, max(first, end) as usize)
}

/// Lanes are queries and the block keys, or (`lanes_are_keys`) the other way round.
#[derive(CubeType)]
pub(super) struct Place<N: Size> {
    pub(super) batch: usize,
    pub(super) head: usize,
    /// Of the lanes, in order.
    lanes: Vector<i32, N>,
    first: usize,
    /// The first of the block.
    block: usize,
    #[cube(comptime)]
    pub(super) lanes_are_keys: bool,
}

/// `first`, `first + 1`, …
#[cube]
pub(super) fn consecutive<N: Size>(first: usize) -> Vector<i32, N> {
    let count = N::value().comptime();
    let mut values = Vector::<i32, N>::new(first as i32);
    #[unroll]
    for lane in 0..count {
        values.insert(lane, first as i32 + lane as i32);
    }
    values
}

#[cube]
impl<N: Size> Place<N> {
    /// `lanes` are those of `owned`; `head` is that of the queries.
    pub(super) fn new(
        owned: &Owned,
        head: usize,
        lanes: Vector<i32, N>,
        block: usize,
        #[comptime] lanes_are_keys: bool,
    ) -> Place<N> {
        Place::<N> {
            batch: owned.batch,
            head,
            lanes,
            first: owned.first,
            block,
            lanes_are_keys,
        }
    }

    pub(super) fn queries(&self, #[comptime] j: usize) -> Vector<i32, N> {
        if comptime![self.lanes_are_keys] {
            Vector::new((self.block + j) as i32)
        } else {
            self.lanes
        }
    }

    pub(super) fn keys(&self, #[comptime] j: usize) -> Vector<i32, N> {
        if comptime![self.lanes_are_keys] {
            self.lanes
        } else {
            Vector::new((self.block + j) as i32)
        }
    }

    /// Query and key of one lane; those that do not exist as the last that does.
    pub(super) fn pair(
        &self,
        lane: usize,
        #[comptime] j: usize,
        problem: &Problem,
    ) -> (usize, usize) {
        let (query, key) = self.unclamped(lane, j);
        (min(query, problem.queries - 1), min(key, problem.keys - 1))
    }

    fn unclamped(&self, lane: usize, #[comptime] j: usize) -> (usize, usize) {
        if comptime![self.lanes_are_keys] {
            (self.block + j, self.first + lane)
        } else {
            (self.first + lane, self.block + j)
        }
    }

    /// Whether every pair exists and is in range. True for most blocks; then single pairs need
    /// not be looked at.
    pub(super) fn is_inside(&self, problem: &Problem, #[comptime] form: Form) -> bool {
        let count = N::value().comptime();
        let last = comptime![form.block - 1];
        let (first_query, first_key) = self.unclamped(0usize, 0usize);
        let (last_query, last_key) = self.unclamped(count - 1, last);
        let mut inside = last_query < problem.queries && last_key < problem.keys;
        if comptime![form.structured] {
            let (_, end) = key_range(first_query, problem);
            let (start, _) = key_range(last_query, problem);
            inside = inside && first_key >= start && last_key < end;
        }
        inside
    }
}
