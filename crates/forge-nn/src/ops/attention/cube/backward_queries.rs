//! The gradient of the queries: a unit owns rows of queries, recomputes their weights from the
//! the saved softmax and goes over the keys in blocks (Dao 2023, Algorithm 2, by rows).

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem, key_range};
use super::place::{Place, consecutive};
use super::scores::{score, weight};
use super::tile::{accumulate, load, multiply, row_products, statistics, store};
use crate::ops::cube::number::lanes;

/// `softmax`: `[B, H, Tq, 2]`, as the forward program left it; `along`: `[B, H, Tq]`, receives each
/// row's `dy · output`.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn backward<E: Float, C: Float, M: Int, W: Size, N: Size>(
    q: &[Vector<E, W>],
    k: &[Vector<E, W>],
    v: &[Vector<E, W>],
    bias: ComptimeOption<&[E]>,
    mask: ComptimeOption<&[M]>,
    seed: ComptimeOption<&[f32]>,
    output: &[Vector<E, W>],
    softmax: &[C],
    dy: &[Vector<E, W>],
    dq: &mut [Vector<E, W>],
    along: &mut [C],
    q_layout: Layout,
    k_layout: Layout,
    v_layout: Layout,
    output_layout: Layout,
    dy_layout: Layout,
    dq_layout: Layout,
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
    let mut slopes_of_output = Array::<Vector<C, N>>::new(form.value_width);
    load::<E, C, W, N>(
        &mut slopes_of_output,
        dy,
        &dy_layout,
        batch,
        head,
        first,
        problem.queries,
        form.value_width,
    );
    let own_along = row_products::<E, C, W, N>(
        output,
        &output_layout,
        dy,
        &dy_layout,
        batch,
        head,
        first,
        problem.queries,
        form.value_width,
    );
    let at = (batch * problem.heads + head) * problem.queries;
    #[unroll]
    for lane in 0..count {
        if first + lane < problem.queries {
            along[at + first + lane] = own_along.extract(lane);
        }
    }
    let highest = statistics::<C, N>(softmax, at, first, problem.queries, 2usize, 0usize);
    let inverse = statistics::<C, N>(softmax, at, first, problem.queries, 2usize, 1usize);

    let one = lanes::<C, N>(1.0_f32);
    let mut gradients = Array::<Vector<C, N>>::new(form.width);
    for d in 0..form.width {
        gradients[d] = lanes::<C, N>(0.0_f32);
    }
    let mut scores = Array::<Vector<C, N>>::new(form.block);
    let mut slopes = Array::<Vector<C, N>>::new(form.block);
    let mut dweights = Array::<Vector<C, N>>::new(form.block);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);
    let scale = Vector::<C, N>::new(problem.scale.get::<C>());

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
        multiply::<E, C, W, N>(
            &mut dweights,
            &slopes_of_output,
            v,
            v_start,
            v_layout.step(),
            block,
            problem.keys,
            form.value_width,
            form,
        );
        if comptime![form.dropout] {
            dropout::apply::<C, N>(&mut dweights, &seed, &place, &problem, form);
        }
        #[unroll]
        for j in 0..form.block {
            let weight = weight::<C, N>(scores[j], highest) * inverse;
            let mut dscore = weight * (dweights[j] - own_along) * scale;
            if comptime![form.softcap] {
                dscore *= slopes[j];
            }
            scores[j] = dscore;
        }
        accumulate::<E, C, W, N>(
            &mut gradients,
            one,
            &scores,
            k,
            k_start,
            k_layout.step(),
            block,
            problem.keys,
            form.width,
            form,
        );
    }
    store::<E, C, W, N>(
        &gradients,
        dq,
        &dq_layout,
        batch,
        head,
        first,
        problem.queries,
        form.width,
    );
}
