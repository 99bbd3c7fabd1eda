//! The gradients of keys and values: a unit owns rows of keys and goes over the queries that see
//! them in blocks (Dao 2023, Algorithm 2, by columns). No atomics: results do not depend on
//! scheduling.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::block::Block;
use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem};
use super::place::{Place, consecutive, owned, query_range};
use super::scores::weight;
use super::statistics;
use super::tile::{accumulate, load, store, zeros};
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
    let owned = owned::<N>(ABSOLUTE_POS, problem.heads / problem.sharing, problem.keys);
    if owned.batch >= problem.batch {
        terminate!();
    }
    let (batch, group, first) = (owned.batch, owned.head, owned.first);
    let rows = load::<E, C, W, N>(
        k,
        &k_layout.head(batch, group, problem.keys),
        first,
        form.width,
        form,
    );
    let v_head = v_layout.head(batch, group, problem.keys);
    let values = load::<E, C, W, N>(v, &v_head, first, form.value_width, form);
    let one = lanes::<C, N>(1.0_f32);
    let mut row_gradients = zeros::<C, N>(form.width, form);
    let mut value_gradients = zeros::<C, N>(form.value_width, form);
    let mut block = Block::<C, N>::new(form);
    let mut kept = Array::<Vector<C, N>>::new(form.block);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);
    let scale = Vector::<C, N>::new(problem.scale.get::<C>());

    let (start, _) = query_range(first, &problem);
    let (_, end) = query_range(owned.last, &problem);
    for shared in 0..problem.sharing {
        let head = group * problem.sharing + shared;
        let q_head = q_layout.head(batch, head, problem.queries);
        let dy_head = dy_layout.head(batch, head, problem.queries);
        let statistics_start = statistics::head_start(batch, head, &problem);
        for at in range_stepped(start, end, form.block) {
            let place = Place::<N>::new(&owned, head, own, at, true);
            block.score::<E, M, W>(&rows, q, &q_head, at, &bias, &mask, &place, &problem, form);
            block.differentiate::<E, W>(&values, dy, &dy_head, at, form);
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
                let query = statistics_start + min(at + j, problem.queries - 1);
                let highest = Vector::new(softmax[2 * query]);
                let inverse = Vector::<C, N>::new(softmax[2 * query + 1]);
                let weight = weight::<C, N>(block.scores[j], highest) * inverse;
                let mut dweight = block.dweights[j];
                if comptime![form.dropout] {
                    dweight *= kept[j];
                    kept[j] *= weight;
                } else {
                    kept[j] = weight;
                }
                let mut dscore = weight * (dweight - Vector::new(along[query])) * scale;
                if comptime![form.softcap] {
                    dscore *= block.slopes[j];
                }
                block.scores[j] = dscore;
            }
            let (sums, width) = (&mut value_gradients, form.value_width);
            accumulate::<E, C, W, N>(sums, one, &kept, dy, &dy_head, at, width, form);
            let (sums, dscores) = (&mut row_gradients, &block.scores);
            accumulate::<E, C, W, N>(sums, one, dscores, q, &q_head, at, form.width, form);
        }
    }
    let dk_head = dk_layout.head(batch, group, problem.keys);
    store::<E, C, W, N>(&row_gradients, dk, &dk_head, first, form.width, form);
    let dv_head = dv_layout.head(batch, group, problem.keys);
    store::<E, C, W, N>(
        &value_gradients,
        dv,
        &dv_head,
        first,
        form.value_width,
        form,
    );
}
