//! The gradients of keys and values: a unit owns rows of keys and goes over the queries that see
//! them in blocks (Dao 2023, Algorithm 2, by columns). No atomics: results do not depend on
//! scheduling.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem, query_range};
use super::place::{Place, consecutive};
use super::scores::{score, weight};
use super::tile::{accumulate, load, multiply, store};
use crate::ops::cube::number::lanes;

/// `softmax`: `[B, H, Tq, 2]`, from the forward program; `along`: `[B, H, Tq]`, from that of the
/// queries.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn backward<E: Float, C: Float, M: Int, W: Size, N: Size>(
    q: &[Vector<E, W>],
    k: &[Vector<E, W>],
    v: &[Vector<E, W>],
    bias: ComptimeOption<&[E]>,
    mask: ComptimeOption<&[M]>,
    seed: ComptimeOption<&[f32]>,
    softmax: &[C],
    along: &[C],
    dy: &[Vector<E, W>],
    dk: &mut [Vector<E, W>],
    dv: &mut [Vector<E, W>],
    q_layout: Layout,
    k_layout: Layout,
    v_layout: Layout,
    dy_layout: Layout,
    dk_layout: Layout,
    dv_layout: Layout,
    problem: Problem,
    #[comptime] form: Form,
    #[define(E, C, M)] _dtypes: [ElemType; 3],
) {
    let count = N::value().comptime();
    let tiles = problem.keys.div_ceil(count);
    let groups = problem.heads / problem.sharing;
    if ABSOLUTE_POS >= problem.batch * groups * tiles {
        terminate!();
    }
    let group = ABSOLUTE_POS / tiles % groups;
    let batch = ABSOLUTE_POS / tiles / groups;
    let first = ABSOLUTE_POS % tiles * count;
    let last = min(first + count, problem.keys) - 1;

    let mut rows = Array::<Vector<C, N>>::new(form.width);
    load::<E, C, W, N>(
        &mut rows,
        k,
        &k_layout,
        batch,
        group,
        first,
        problem.keys,
        form.width,
    );
    let mut values = Array::<Vector<C, N>>::new(form.value_width);
    load::<E, C, W, N>(
        &mut values,
        v,
        &v_layout,
        batch,
        group,
        first,
        problem.keys,
        form.value_width,
    );
    let zero = lanes::<C, N>(0.0_f32);
    let one = lanes::<C, N>(1.0_f32);
    let mut row_gradients = Array::<Vector<C, N>>::new(form.width);
    for d in 0..form.width {
        row_gradients[d] = zero;
    }
    let mut value_gradients = Array::<Vector<C, N>>::new(form.value_width);
    for d in 0..form.value_width {
        value_gradients[d] = zero;
    }
    let mut scores = Array::<Vector<C, N>>::new(form.block);
    let mut slopes = Array::<Vector<C, N>>::new(form.block);
    let mut dweights = Array::<Vector<C, N>>::new(form.block);
    let mut kept = Array::<Vector<C, N>>::new(form.block);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);
    let scale = Vector::<C, N>::new(problem.scale.get::<C>());

    let (start, _) = query_range(first, &problem);
    let (_, end) = query_range(last, &problem);
    for shared in 0..problem.sharing {
        let head = group * problem.sharing + shared;
        let q_start = q_layout.at(batch, head, 0);
        let dy_start = dy_layout.at(batch, head, 0);
        let at = (batch * problem.heads + head) * problem.queries;
        for block in range_stepped(start, end, form.block) {
            multiply::<E, C, W, N>(
                &mut scores,
                &rows,
                q,
                q_start,
                q_layout.step(),
                block,
                problem.queries,
                form.width,
                form,
            );
            let place = Place::<N>::new(batch, head, own, first, block, true);
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
                &values,
                dy,
                dy_start,
                dy_layout.step(),
                block,
                problem.queries,
                form.value_width,
                form,
            );
            if comptime![form.dropout] {
                #[unroll]
                for j in 0..form.block {
                    kept[j] = one;
                }
                dropout::apply::<C, N>(&mut kept, &seed, &place, &problem, form);
            }
            // `kept` becomes the weights that mixed the values, `scores` their gradients.
            #[unroll]
            for j in 0..form.block {
                let query = at + min(block + j, problem.queries - 1);
                let highest = Vector::new(softmax[2 * query]);
                let inverse = Vector::<C, N>::new(softmax[2 * query + 1]);
                let weight = weight::<C, N>(scores[j], highest) * inverse;
                let mut dweight = dweights[j];
                if comptime![form.dropout] {
                    dweight *= kept[j];
                    kept[j] = kept[j] * weight;
                } else {
                    kept[j] = weight;
                }
                let mut dscore = weight * (dweight - Vector::new(along[query])) * scale;
                if comptime![form.softcap] {
                    dscore *= slopes[j];
                }
                scores[j] = dscore;
            }
            accumulate::<E, C, W, N>(
                &mut value_gradients,
                one,
                &kept,
                dy,
                dy_start,
                dy_layout.step(),
                block,
                problem.queries,
                form.value_width,
                form,
            );
            accumulate::<E, C, W, N>(
                &mut row_gradients,
                one,
                &scores,
                q,
                q_start,
                q_layout.step(),
                block,
                problem.queries,
                form.width,
                form,
            );
        }
    }
    store::<E, C, W, N>(
        &row_gradients,
        dk,
        &dk_layout,
        batch,
        group,
        first,
        problem.keys,
        form.width,
    );
    store::<E, C, W, N>(
        &value_gradients,
        dv,
        &dv_layout,
        batch,
        group,
        first,
        problem.keys,
        form.value_width,
    );
}
