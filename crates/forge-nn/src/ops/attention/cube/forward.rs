//! The forward program: a unit owns rows of queries and goes over the keys in blocks, with the
//! softmax online (Milakov and Gimelshein 2018, Algorithm 3; Dao 2023, Algorithm 1).

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::block::Block;
use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem};
use super::place::{Place, consecutive, key_range, owned};
use super::scores::{HIDDEN, seen, weight};
use super::statistics;
use super::tile::{accumulate, load, store, zeros};
use crate::ops::cube::number::lanes;

/// `softmax`: `[B, H, Tq, 2]`, the highest score of a row and the inverse of the sum of its
/// exponentials (not the one logarithm of both, which loses digits of large scores); both 0 for rows
/// without a key.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn forward<E: Float, C: Float, M: Int, W: Size, N: Size>(
    q: &[Vector<E, W>],
    k: &[Vector<E, W>],
    v: &[Vector<E, W>],
    bias: ComptimeOption<&[E]>,
    mask: ComptimeOption<&[M]>,
    seed: ComptimeOption<&[f32]>,
    output: &mut [Vector<E, W>],
    softmax: &mut [C],
    q_layout: Layout,
    k_layout: Layout,
    v_layout: Layout,
    output_layout: Layout,
    problem: Problem,
    #[comptime] form: Form,
    #[define(E, C, M)] _dtypes: [ElemType; 3],
) {
    let owned = owned::<N>(ABSOLUTE_POS, problem.heads, problem.queries);
    if owned.batch >= problem.batch {
        terminate!();
    }
    let (batch, head, first) = (owned.batch, owned.head, owned.first);
    let group = head / problem.sharing;
    let rows = load::<E, C, W, N>(
        q,
        &q_layout.head(batch, head, problem.queries),
        first,
        form.width,
        form,
    );
    let mut sums = zeros::<C, N>(form.value_width, form);
    let mut highest = lanes::<C, N>(HIDDEN);
    let mut total = lanes::<C, N>(0.0_f32);
    let mut visible = lanes::<C, N>(0.0_f32);
    let mut block = Block::<C, N>::new(form);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);

    let (start, _) = key_range(first, &problem);
    let (_, end) = key_range(owned.last, &problem);
    let k_head = k_layout.head(batch, group, problem.keys);
    let v_head = v_layout.head(batch, group, problem.keys);
    for at in range_stepped(start, end, form.block) {
        let place = Place::<N>::new(&owned, head, own, at, false);
        block.score::<E, M, W>(&rows, k, &k_head, at, &bias, &mask, &place, &problem, form);
        let mut higher = highest;
        #[unroll]
        for j in 0..form.block {
            higher = max(higher, block.scores[j]);
        }
        let factor = (highest - higher).exp();
        highest = higher;
        total *= factor;
        #[unroll]
        for j in 0..form.block {
            if comptime![form.hides] {
                visible = seen::<C, N>(block.scores[j], visible);
            }
            let weight = weight::<C, N>(block.scores[j], highest);
            total += weight;
            block.scores[j] = weight;
        }
        if comptime![form.dropout] {
            dropout::apply::<C, N>(&mut block.scores, &seed, &place, &problem, form);
        }
        let weights = &block.scores;
        accumulate::<E, C, W, N>(
            &mut sums,
            factor,
            weights,
            v,
            &v_head,
            at,
            form.value_width,
            form,
        );
    }

    let zero = lanes::<C, N>(0.0_f32);
    let one = lanes::<C, N>(1.0_f32);
    // A row without a key is 0. One whose total is NaN, or 0 since its scores are all -∞, is NaN.
    if comptime![form.hides] {
        let seen = visible.greater_than(&zero);
        total = select_many(seen, total, one);
        highest = select_many(seen, highest, zero);
        visible = select_many(seen, one, zero);
    } else {
        visible = one;
    }
    let inverse = visible / total;
    #[unroll(form.unroll)]
    for d in 0..form.value_width {
        sums[d] *= inverse;
    }
    let output_head = output_layout.head(batch, head, problem.queries);
    store::<E, C, W, N>(&sums, output, &output_head, first, form.value_width, form);
    let start = statistics::head_start(batch, head, &problem);
    statistics::write::<C, N>(highest, softmax, start, &owned, 2usize, 0usize);
    statistics::write::<C, N>(inverse, softmax, start, &owned, 2usize, 1usize);
}
