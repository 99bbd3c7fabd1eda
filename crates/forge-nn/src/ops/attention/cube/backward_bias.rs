//! The gradient of the bias: a unit owns rows of queries of one head and adds up the samples.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::dropout::{self, Seed};
use super::form::{Form, Layout, Problem, key_range};
use super::place::{Place, consecutive};
use super::scores::{score, weight};
use super::tile::{load, multiply, statistics};
use crate::ops::cube::number::number;

/// `dbias`: `[H, Tq, Tk]`.
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
    let count = N::value().comptime();
    let tiles = problem.queries.div_ceil(count);
    if ABSOLUTE_POS >= problem.heads * tiles {
        terminate!();
    }
    let head = ABSOLUTE_POS / tiles;
    let group = head / problem.sharing;
    let first = ABSOLUTE_POS % tiles * count;
    let last = min(first + count, problem.queries) - 1;

    #[unroll]
    for lane in 0..count {
        if first + lane < problem.queries {
            let row = (head * problem.queries + first + lane) * problem.keys;
            for key in 0..problem.keys {
                dbias[row + key] = number::<C>(0.0_f32);
            }
        }
    }
    let mut rows = Array::<Vector<C, N>>::new(form.width);
    let mut slopes_of_output = Array::<Vector<C, N>>::new(form.value_width);
    let mut scores = Array::<Vector<C, N>>::new(form.block);
    let mut slopes = Array::<Vector<C, N>>::new(form.block);
    let mut dweights = Array::<Vector<C, N>>::new(form.block);
    let seed = Seed::read(&seed);
    let own = consecutive::<N>(first);
    let (start, _) = key_range(first, &problem);
    let (_, end) = key_range(last, &problem);
    for batch in 0..problem.batch {
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
        let at = (batch * problem.heads + head) * problem.queries;
        let highest = statistics::<C, N>(softmax, at, first, problem.queries, 2usize, 0usize);
        let inverse = statistics::<C, N>(softmax, at, first, problem.queries, 2usize, 1usize);
        let own_along = statistics::<C, N>(along, at, first, problem.queries, 1usize, 0usize);
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
                let dscore = weight * (dweights[j] - own_along);
                #[unroll]
                for lane in 0..count {
                    if first + lane < problem.queries && block + j < problem.keys {
                        let row = (head * problem.queries + first + lane) * problem.keys;
                        dbias[row + block + j] += dscore.extract(lane);
                    }
                }
            }
        }
    }
}
