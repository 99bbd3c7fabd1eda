//! What the programs keep of each row of queries, `[B, H, Tq, count]`.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::Problem;
use super::place::Owned;
use crate::ops::cube::number::lanes;

/// The first row of a head.
#[cube]
pub(super) fn head_start(batch: usize, head: usize, problem: &Problem) -> usize {
    (batch * problem.heads + head) * problem.queries
}

/// Number `which` of `count` of each owned row; rows beyond the last as the last.
#[cube]
pub(super) fn read<C: Float, N: Size>(
    memory: &[C],
    start: usize,
    owned: &Owned,
    #[comptime] count: usize,
    #[comptime] which: usize,
) -> Vector<C, N> {
    let mut values = lanes::<C, N>(0.0_f32);
    let size = N::value().comptime();
    #[unroll]
    for lane in 0..size {
        let row = start + min(owned.first + lane, owned.last);
        values.insert(lane, memory[row * count + which]);
    }
    values
}

/// The counterpart of [`read`]; rows beyond the last are left out.
#[cube]
pub(super) fn write<C: Float, N: Size>(
    values: Vector<C, N>,
    memory: &mut [C],
    start: usize,
    owned: &Owned,
    #[comptime] count: usize,
    #[comptime] which: usize,
) {
    let size = N::value().comptime();
    #[unroll]
    for lane in 0..size {
        if owned.first + lane <= owned.last {
            let row = start + owned.first + lane;
            memory[row * count + which] = values.extract(lane);
        }
    }
}
