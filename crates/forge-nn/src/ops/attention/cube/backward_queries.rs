//! The gradient of the queries: a unit owns rows of queries, recomputes their weights from the
//! saved softmax and goes over the keys in blocks (Dao 2023, Algorithm 2, by rows).

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::block::Block;
use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem};
use super::place::{Place, consecutive, key_range, owned};
use super::scores::weight;
use super::statistics;
use super::tile::{accumulate, load, row_products, store, zeros};
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
    let owned = owned::<N>(ABSOLUTE_POS, problem.heads, problem.queries);
    if owned.batch >= problem.batch {
        terminate!();
    }
    let (batch, head, first) = (owned.batch, owned.head, owned.first);
    let group = head / problem.sharing;
    let output_head = output_layout.head(batch, head, problem.queries);
    let dy_head = dy_layout.head(batch, head, problem.queries);
    let rows = load::<E, C, W, N>(
        q,
        &q_layout.head(batch, head, problem.queries),
        first,
        form.width,
        form,
    );
    let dys = load::<E, C, W, N>(dy, &dy_head, first, form.value_width, form);
    let own_along =
        row_products::<E, C, W, N>(output, &output_head, dy, &dy_head, first, form.value_width);
    let start = statistics::head_start(batch, head, &problem);
    statistics::write::<C, N>(own_along, along, start, &owned, 1usize, 0usize);
    let highest = statistics::read::<C, N>(softmax, start, &owned, 2usize, 0usize);
    let inverse = statistics::read::<C, N>(softmax, start, &owned, 2usize, 1usize);

    let one = lanes::<C, N>(1.0_f32);
    let mut gradients = zeros::<C, N>(form.width, form);
    let mut block = Block::<C, N>::new(form);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);
    let scale = Vector::<C, N>::new(problem.scale.get::<C>());

    let (start, _) = key_range(first, &problem);
    let (_, end) = key_range(owned.last, &problem);
    let k_head = k_layout.head(batch, group, problem.keys);
    let v_head = v_layout.head(batch, group, problem.keys);
    for at in range_stepped(start, end, form.block) {
        let place = Place::<N>::new(&owned, head, own, at, false);
        block.score::<E, M, W>(&rows, k, &k_head, at, &bias, &mask, &place, &problem, form);
        block.differentiate::<E, W>(&dys, v, &v_head, at, form);
        if comptime![form.dropout] {
            dropout::apply::<C, N>(&mut block.dweights, &seed, &place, &problem, form);
        }
        #[unroll]
        for j in 0..form.block {
            let weight = weight::<C, N>(block.scores[j], highest) * inverse;
            let mut dscore = weight * (block.dweights[j] - own_along) * scale;
            if comptime![form.softcap] {
                dscore *= block.slopes[j];
            }
            block.scores[j] = dscore;
        }
        let dscores = &block.scores;
        accumulate::<E, C, W, N>(
            &mut gradients,
            one,
            dscores,
            k,
            &k_head,
            at,
            form.width,
            form,
        );
    }
    let dq_head = dq_layout.head(batch, head, problem.queries);
    store::<E, C, W, N>(&gradients, dq, &dq_head, first, form.width, form);
}
