//! Which queries and keys a block of scores stands for.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::{Form, Problem, key_range};

/// Lanes are queries and the block keys, or (`lanes_are_keys`) the other way round.
#[derive(CubeType)]
pub(super) struct Place<N: Size> {
    pub(super) batch: usize,
    pub(super) head: usize,
    /// Of the lanes, in order.
    own: Vector<i32, N>,
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
    /// `own` are the rows that a unit owns, from `first`: queries or, with `lanes_are_keys`, keys.
    pub(super) fn new(
        batch: usize,
        head: usize,
        own: Vector<i32, N>,
        first: usize,
        block: usize,
        #[comptime] lanes_are_keys: bool,
    ) -> Place<N> {
        Place::<N> {
            batch,
            head,
            own,
            first,
            block,
            lanes_are_keys,
        }
    }

    pub(super) fn queries(&self, #[comptime] j: usize) -> Vector<i32, N> {
        if comptime![self.lanes_are_keys] {
            Vector::new((self.block + j) as i32)
        } else {
            self.own
        }
    }

    pub(super) fn keys(&self, #[comptime] j: usize) -> Vector<i32, N> {
        if comptime![self.lanes_are_keys] {
            self.own
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
        let (_, first_key) = self.unclamped(0usize, 0usize);
        let (first_query, _) = self.unclamped(0usize, 0usize);
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
