//! The forward program: a unit owns rows of queries and goes over the keys in blocks, with the
//! softmax online (Milakov and Gimelshein 2018, Algorithm 3; Dao 2023, Algorithm 1).

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem, key_range};
use super::place::{Place, consecutive};
use super::scores::{HIDDEN, score, weight};
use super::tile::{accumulate, load, multiply, store};
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
    let count = N::value().comptime();
    let tiles = problem.queries.div_ceil(count);
    if ABSOLUTE_POS >= problem.batch * problem.heads * tiles {
        terminate!();
    }
    let head = ABSOLUTE_POS / tiles % problem.heads;
    let batch = ABSOLUTE_POS / tiles / problem.heads;
    let group = head / problem.sharing;
    let first = ABSOLUTE_POS % tiles * count;
    let last = min(first + count, problem.queries) - 1;

    let mut rows = Array::<Vector<C, N>>::new(form.width);
    load::<E, C, W, N>(
        &mut rows,
        q,
        &q_layout,
        batch,
        head,
        first,
        problem.queries,
        form.width,
    );
    let mut sums = Array::<Vector<C, N>>::new(form.value_width);
    for d in 0..form.value_width {
        sums[d] = lanes::<C, N>(0.0_f32);
    }
    let mut highest = lanes::<C, N>(HIDDEN);
    let mut total = lanes::<C, N>(0.0_f32);
    let mut scores = Array::<Vector<C, N>>::new(form.block);
    let mut slopes = Array::<Vector<C, N>>::new(form.block);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);

    let (start, _) = key_range(first, &problem);
    let (_, end) = key_range(last, &problem);
    let k_start = k_layout.at(batch, group, 0);
    let v_start = v_layout.at(batch, group, 0);
    for block in range_stepped(start, end, form.block) {
        multiply::<E, C, W, N>(
            &mut scores,
            &rows,
            k,
            k_start,
            k_layout.step(),
            block,
            problem.keys,
            form.width,
            form,
        );
        let place = Place::<N>::new(batch, head, own, first, block, false);
        score::<E, C, M, N>(
            &mut scores,
            &mut slopes,
            &bias,
            &mask,
            &place,
            &problem,
            form,
        );
        let mut higher = highest;
        #[unroll]
        for j in 0..form.block {
            higher = max(higher, scores[j]);
        }
        let factor = (highest - higher).exp();
        highest = higher;
        total *= factor;
        #[unroll]
        for j in 0..form.block {
            let weight = weight::<C, N>(scores[j], highest);
            total += weight;
            scores[j] = weight;
        }
        if comptime![form.dropout] {
            dropout::apply::<C, N>(&mut scores, &seed, &place, &problem, form);
        }
        accumulate::<E, C, W, N>(
            &mut sums,
            factor,
            &scores,
            v,
            v_start,
            v_layout.step(),
            block,
            problem.keys,
            form.value_width,
            form,
        );
    }

    let zero = lanes::<C, N>(0.0_f32);
    let one = lanes::<C, N>(1.0_f32);
    let seen = total.greater_than(&zero);
    let inverse = select_many(seen, one / select_many(seen, total, one), zero);
    let highest = select_many(seen, highest, zero);
    for d in 0..form.value_width {
        sums[d] = sums[d] * inverse;
    }
    store::<E, C, W, N>(
        &sums,
        output,
        &output_layout,
        batch,
        head,
        first,
        problem.queries,
        form.value_width,
    );
    let at = (batch * problem.heads + head) * problem.queries;
    #[unroll]
    for lane in 0..count {
        let row = first + lane;
        if row < problem.queries {
            softmax[2 * (at + row)] = highest.extract(lane);
            softmax[2 * (at + row) + 1] = inverse.extract(lane);
        }
    }
}
