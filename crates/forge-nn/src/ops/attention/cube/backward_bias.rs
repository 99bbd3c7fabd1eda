//! The gradient of the bias: a unit owns rows of queries of one head and adds up the samples.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::block::Block;
use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem};
use super::place::{Place, consecutive, key_range, owned};
use super::scores::weight;
use super::statistics;
use super::tile::load;
use crate::ops::cube::number::number;

/// `softmax`: `[B, H, Tq, 2]` and `along`: `[B, H, Tq]` as for the keys; `dbias`: `[H, Tq, Tk]`.
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
    dbias: &mut [C],
    q_layout: Layout,
    k_layout: Layout,
    v_layout: Layout,
    dy_layout: Layout,
    problem: Problem,
    #[comptime] form: Form,
    #[define(E, C, M)] _dtypes: [ElemType; 3],
) {
    let mut owned = owned::<N>(ABSOLUTE_POS, problem.heads, problem.queries);
    if owned.batch >= 1 {
        terminate!();
    }
    let (head, first) = (owned.head, owned.first);
    let group = head / problem.sharing;
    let count = N::value().comptime();
    #[unroll]
    for lane in 0..count {
        if first + lane < problem.queries {
            let row = (head * problem.queries + first + lane) * problem.keys;
            for key in 0..problem.keys {
                dbias[row + key] = number::<C>(0.0_f32);
            }
        }
    }
    let mut block = Block::<C, N>::new(form);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);
    let (start, _) = key_range(first, &problem);
    let (_, end) = key_range(owned.last, &problem);
    for batch in 0..problem.batch {
        owned.batch = batch;
        let q_head = q_layout.head(batch, head, problem.queries);
        let rows = load::<E, C, W, N>(q, &q_head, first, form.width, form);
        let dy_head = dy_layout.head(batch, head, problem.queries);
        let dys = load::<E, C, W, N>(dy, &dy_head, first, form.value_width, form);
        let statistics_start = statistics::head_start(batch, head, &problem);
        let highest = statistics::read::<C, N>(softmax, statistics_start, &owned, 2usize, 0usize);
        let inverse = statistics::read::<C, N>(softmax, statistics_start, &owned, 2usize, 1usize);
        let own_along = statistics::read::<C, N>(along, statistics_start, &owned, 1usize, 0usize);
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
                let dscore = weight * (block.dweights[j] - own_along);
                #[unroll]
                for lane in 0..count {
                    if first + lane < problem.queries && at + j < problem.keys {
                        let row = (head * problem.queries + first + lane) * problem.keys;
                        dbias[row + at + j] += dscore.extract(lane);
                    }
                }
            }
        }
    }
}
