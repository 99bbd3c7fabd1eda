//! One block of scores, and of the gradients of its weights.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::{Form, Head, Problem};
use super::place::Place;
use super::scores::score;
use super::tile::multiply;

/// One vector of lanes for each row of the block.
#[derive(CubeType)]
pub(super) struct Block<C: Float, N: Size> {
    pub(super) scores: Array<Vector<C, N>>,
    /// Of the softcap, where there is one.
    pub(super) slopes: Array<Vector<C, N>>,
    pub(super) dweights: Array<Vector<C, N>>,
}

#[cube]
impl<C: Float, N: Size> Block<C, N> {
    pub(super) fn new(#[comptime] form: Form) -> Block<C, N> {
        Block::<C, N> {
            scores: Array::new(form.block),
            slopes: Array::new(form.block),
            dweights: Array::new(form.block),
        }
    }

    /// The scores of `rows` with the rows of `memory` from `first`: the one are queries, the
    /// other keys, or the other way round.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn score<E: Float, M: Int, W: Size>(
        &mut self,
        rows: &Array<Vector<C, N>>,
        memory: &[Vector<E, W>],
        head: &Head,
        first: usize,
        bias: &ComptimeOption<&[E]>,
        mask: &ComptimeOption<&[M]>,
        place: &Place<N>,
        problem: &Problem,
        #[comptime] form: Form,
    ) {
        let scores = &mut self.scores;
        multiply::<E, C, W, N>(scores, rows, memory, head, first, form.width, form);
        score::<E, C, M, N>(scores, &mut self.slopes, bias, mask, place, problem, form);
    }

    /// The gradients of the weights, before dropout: the products of values and the output's
    /// gradient, one of them owned, the other in memory.
    pub(super) fn differentiate<E: Float, W: Size>(
        &mut self,
        rows: &Array<Vector<C, N>>,
        memory: &[Vector<E, W>],
        head: &Head,
        first: usize,
        #[comptime] form: Form,
    ) {
        let dweights = &mut self.dweights;
        multiply::<E, C, W, N>(dweights, rows, memory, head, first, form.value_width, form);
    }
}
