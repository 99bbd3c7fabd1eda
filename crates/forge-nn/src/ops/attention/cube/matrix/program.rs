//! The programs over rows of scores: a cube owns a row, its units stride over the keys.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use burn::backend::TensorMetadata;

use super::super::call::Call;
use super::super::dropout::{self, Seed};
use super::super::form::{Form, Problem};
use super::super::place::{Owned, Place, consecutive};
use super::super::scores::{HIDDEN, score, seen, weight};
use super::block::{Block, vector};
use crate::ops::cube::launch::{empty, packed};
use crate::ops::cube::number::{lanes, number};

/// Units of a cube, at most.
const UNITS: u32 = 128;

/// Where a block lies among all scores; `width` is that of a row, in vectors.
#[derive(Clone, Copy, Debug, CubeType, CubeLaunch)]
struct Part {
    batch: usize,
    head: usize,
    heads: usize,
    query: usize,
    queries: usize,
    key: usize,
    width: usize,
    rows: usize,
}

/// How a block is laid on units.
struct Plan {
    part: PartLaunch,
    count: CubeCount,
    dim: CubeDim,
    vector: usize,
    units: usize,
    form: Form,
}

impl Plan {
    fn new(call: &Call, block: &Block) -> Self {
        let sharing = call.q.dims[1] / call.k.dims[1];
        let heads = block.groups.len() * sharing;
        let rows = block.batch.len() * heads * block.queries.len();
        let vector = vector(call.k.dims[2]);
        let width = block.keys.len() / vector;
        let client = &call.q.tensor.client;
        let most = client.properties().hardware.max_units_per_cube.min(UNITS) as usize;
        let units = width.next_power_of_two().clamp(1, most);
        let mut form = call.plan(&[]).form;
        // A unit looks at the keys of one vector and one query at a time.
        form.block = 1;
        Self {
            part: PartLaunch::new(
                block.batch.start,
                block.groups.start * sharing,
                heads,
                block.queries.start,
                block.queries.len(),
                block.keys.start,
                width,
                rows,
            ),
            count: calculate_cube_count_elemwise(client, rows, CubeDim::new_single()),
            dim: CubeDim::new_1d(units as u32),
            vector,
            units,
            form,
        }
    }
}

/// The weights of a block from its products, after dropout, in the type of the inputs; fills its
/// rows of `softmax` `[B, H, Tq, 2]`.
pub(super) fn weights(
    call: &Call,
    block: &Block,
    products: &CubeTensor,
    softmax: &CubeTensor,
) -> CubeTensor {
    let products = packed(products.clone());
    let weights = empty(&products, products.shape(), call.dtype());
    let plan = Plan::new(call, block);
    // SAFETY: cubes without a row stop; units stay inside their row.
    unsafe {
        weigh::launch_unchecked(
            &weights.client,
            plan.count,
            plan.dim,
            call.address_type(&[&products, softmax]),
            plan.vector,
            products.clone().into_buffer_arg(),
            call.bias.clone().map(CubeTensor::into_buffer_arg).into(),
            call.mask.clone().map(CubeTensor::into_buffer_arg).into(),
            call.drawn.clone().map(CubeTensor::into_buffer_arg).into(),
            weights.clone().into_buffer_arg(),
            softmax.clone().into_buffer_arg(),
            plan.part,
            call.problem(),
            plan.units,
            plan.form,
            call.dtypes(),
        );
    }
    weights
}

/// The weights of a block after dropout, and the gradients of its products, in the type of the
/// inputs.
pub(super) fn gradients(
    call: &Call,
    block: &Block,
    products: &CubeTensor,
    dweights: &CubeTensor,
    softmax: &CubeTensor,
    along: &CubeTensor,
) -> (CubeTensor, CubeTensor) {
    let [products, dweights] = [products, dweights].map(|x| packed(x.clone()));
    let [weights, dscores] = [(); 2].map(|()| empty(&products, products.shape(), call.dtype()));
    let plan = Plan::new(call, block);
    // SAFETY: as above.
    unsafe {
        differentiate::launch_unchecked(
            &weights.client,
            plan.count,
            plan.dim,
            call.address_type(&[&products, softmax]),
            plan.vector,
            products.clone().into_buffer_arg(),
            dweights.into_buffer_arg(),
            call.bias.clone().map(CubeTensor::into_buffer_arg).into(),
            call.mask.clone().map(CubeTensor::into_buffer_arg).into(),
            call.drawn.clone().map(CubeTensor::into_buffer_arg).into(),
            softmax.clone().into_buffer_arg(),
            along.clone().into_buffer_arg(),
            weights.clone().into_buffer_arg(),
            dscores.clone().into_buffer_arg(),
            plan.part,
            call.problem(),
            plan.units,
            plan.form,
            call.dtypes(),
        );
    }
    (weights, dscores)
}

/// The row of a cube: sample, head and query of all, and where it starts in the block.
#[derive(Clone, Copy, CubeType)]
struct Row {
    batch: usize,
    head: usize,
    query: usize,
    start: usize,
}

#[cube]
impl Row {
    fn of(cube: usize, part: &Part) -> Row {
        Row {
            batch: part.batch + cube / part.queries / part.heads,
            head: part.head + cube / part.queries % part.heads,
            query: part.query + cube % part.queries,
            start: cube * part.width,
        }
    }

    /// The vector of keys at `at` of the row.
    fn place<N: Size>(&self, at: usize, part: &Part) -> Place<N> {
        let key = part.key + at * N::value();
        let owned = Owned {
            batch: self.batch,
            head: self.head,
            first: key,
            last: key + N::value() - 1,
        };
        Place::<N>::new(&owned, self.head, consecutive::<N>(key), self.query, true)
    }

    /// Where its numbers lie in `[B, H, Tq]`.
    fn position(&self, problem: &Problem) -> usize {
        (self.batch * problem.heads + self.head) * problem.queries + self.query
    }
}

/// The scores of one vector of keys.
#[cube]
#[allow(clippy::too_many_arguments)]
fn scores_at<E: Float, C: Float, M: Int, N: Size>(
    products: &[Vector<C, N>],
    scores: &mut Array<Vector<C, N>>,
    slopes: &mut Array<Vector<C, N>>,
    bias: &ComptimeOption<&[E]>,
    mask: &ComptimeOption<&[M]>,
    row: &Row,
    place: &Place<N>,
    at: usize,
    problem: &Problem,
    #[comptime] form: Form,
) {
    scores[0] = products[row.start + at];
    score::<E, C, M, N>(scores, slopes, bias, mask, place, problem, form);
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn weigh<E: Float, C: Float, M: Int, N: Size>(
    products: &[Vector<C, N>],
    bias: ComptimeOption<&[E]>,
    mask: ComptimeOption<&[M]>,
    seed: ComptimeOption<&[f32]>,
    weights: &mut [Vector<E, N>],
    softmax: &mut [C],
    part: Part,
    problem: Problem,
    #[comptime] units: usize,
    #[comptime] form: Form,
    #[define(E, C, M)] _dtypes: [ElemType; 3],
) {
    if CUBE_POS >= part.rows {
        terminate!();
    }
    let row = Row::of(CUBE_POS, &part);
    let unit = UNIT_POS as usize;
    let mut scores = Array::<Vector<C, N>>::new(1usize);
    let mut slopes = Array::<Vector<C, N>>::new(1usize);
    let mut highest = lanes::<C, N>(HIDDEN);
    let mut total = lanes::<C, N>(0.0_f32);
    let mut visible = lanes::<C, N>(0.0_f32);
    for at in range_stepped(unit, part.width, units) {
        let place = row.place::<N>(at, &part);
        scores_at::<E, C, M, N>(
            products,
            &mut scores,
            &mut slopes,
            &bias,
            &mask,
            &row,
            &place,
            at,
            &problem,
            form,
        );
        let higher = max(highest, scores[0]);
        total = total * (highest - higher).exp() + weight::<C, N>(scores[0], higher);
        highest = higher;
        if comptime![form.hides] {
            visible = seen::<C, N>(scores[0], visible);
        }
    }
    let own = joined_lanes::<C, N>(highest, total, visible);
    let all = joined_units::<C>(&own, unit, units);

    let zero = number::<C>(0.0_f32);
    let one = number::<C>(1.0_f32);
    // As in the other forward program: without a key 0, all -∞ or NaN is NaN.
    let mut shift = all.highest;
    let mut inverse = one / all.total;
    if comptime![form.hides] {
        if all.visible <= zero {
            shift = zero;
            inverse = zero;
        }
    }
    if unit == 0 {
        let position = row.position(&problem);
        softmax[position * 2] = shift;
        softmax[position * 2 + 1] = inverse;
    }
    let seed = Seed::read(&seed);
    for at in range_stepped(unit, part.width, units) {
        let place = row.place::<N>(at, &part);
        scores_at::<E, C, M, N>(
            products,
            &mut scores,
            &mut slopes,
            &bias,
            &mask,
            &row,
            &place,
            at,
            &problem,
            form,
        );
        scores[0] = weight::<C, N>(scores[0], Vector::new(shift)) * Vector::new(inverse);
        if comptime![form.dropout] {
            dropout::apply::<C, N>(&mut scores, &seed, &place, &problem, form);
        }
        weights[row.start + at] = Vector::cast_from(scores[0]);
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn differentiate<E: Float, C: Float, M: Int, N: Size>(
    products: &[Vector<C, N>],
    dweights: &[Vector<C, N>],
    bias: ComptimeOption<&[E]>,
    mask: ComptimeOption<&[M]>,
    seed: ComptimeOption<&[f32]>,
    softmax: &[C],
    along: &[C],
    weights: &mut [Vector<E, N>],
    dscores: &mut [Vector<E, N>],
    part: Part,
    problem: Problem,
    #[comptime] units: usize,
    #[comptime] form: Form,
    #[define(E, C, M)] _dtypes: [ElemType; 3],
) {
    if CUBE_POS >= part.rows {
        terminate!();
    }
    let row = Row::of(CUBE_POS, &part);
    let position = row.position(&problem);
    let shift = Vector::<C, N>::new(softmax[position * 2]);
    let inverse = Vector::<C, N>::new(softmax[position * 2 + 1]);
    let own_along = Vector::<C, N>::new(along[position]);
    let scale = Vector::<C, N>::new(problem.scale.get::<C>());
    let seed = Seed::read(&seed);
    let mut scores = Array::<Vector<C, N>>::new(1usize);
    let mut slopes = Array::<Vector<C, N>>::new(1usize);
    let mut kept = Array::<Vector<C, N>>::new(1usize);
    let mut slope = Array::<Vector<C, N>>::new(1usize);
    for at in range_stepped(UNIT_POS as usize, part.width, units) {
        let place = row.place::<N>(at, &part);
        scores_at::<E, C, M, N>(
            products,
            &mut scores,
            &mut slopes,
            &bias,
            &mask,
            &row,
            &place,
            at,
            &problem,
            form,
        );
        let weight = weight::<C, N>(scores[0], shift) * inverse;
        kept[0] = weight;
        slope[0] = dweights[row.start + at];
        if comptime![form.dropout] {
            dropout::apply::<C, N>(&mut kept, &seed, &place, &problem, form);
            dropout::apply::<C, N>(&mut slope, &seed, &place, &problem, form);
        }
        let mut dscore = weight * (slope[0] - own_along) * scale;
        if comptime![form.softcap] {
            dscore *= slopes[0];
        }
        weights[row.start + at] = Vector::cast_from(kept[0]);
        dscores[row.start + at] = Vector::cast_from(dscore);
    }
}

/// An online softmax: the highest score, the sum of exponentials from there, and a number above 0
/// where a key was seen.
#[derive(Clone, Copy, CubeType)]
struct Softmax<C: Float> {
    highest: C,
    total: C,
    visible: C,
}

/// The sum of two, from the higher of their highest scores.
#[cube]
fn joined<C: Float>(total: C, highest: C, other: C, other_highest: C) -> C {
    let all = max(highest, other_highest);
    total * (highest - all).exp() + other * (other_highest - all).exp()
}

/// That of all lanes.
#[cube]
fn joined_lanes<C: Float, N: Size>(
    highest: Vector<C, N>,
    total: Vector<C, N>,
    visible: Vector<C, N>,
) -> Softmax<C> {
    let count = N::value().comptime();
    let mut all_highest = highest.extract(0usize);
    let mut all_total = total.extract(0usize);
    let mut all_visible = visible.extract(0usize);
    #[unroll]
    for lane in 1..count {
        let lane_highest = highest.extract(lane);
        all_total = joined::<C>(all_total, all_highest, total.extract(lane), lane_highest);
        all_highest = max(all_highest, lane_highest);
        all_visible = max(all_visible, visible.extract(lane));
    }
    Softmax::<C> {
        highest: all_highest,
        total: all_total,
        visible: all_visible,
    }
}

/// That of all units of the cube, the same for all of them. Each joins with the one half of them on,
/// then a quarter and so forth, so the order is fixed.
#[cube]
fn joined_units<C: Float>(own: &Softmax<C>, unit: usize, #[comptime] units: usize) -> Softmax<C> {
    let mut all_highest = own.highest;
    let mut all_total = own.total;
    let mut all_visible = own.visible;
    if comptime![units > 1] {
        let mut highest = Shared::<[C]>::new_slice(units);
        let mut total = Shared::<[C]>::new_slice(units);
        let mut visible = Shared::<[C]>::new_slice(units);
        highest[unit] = all_highest;
        total[unit] = all_total;
        visible[unit] = all_visible;
        let steps = comptime![units.ilog2()];
        #[unroll]
        for halving in 0..steps {
            let step = comptime![units >> (halving + 1)];
            sync_cube();
            if unit < step {
                let other = highest[unit + step];
                all_total = joined::<C>(all_total, all_highest, total[unit + step], other);
                all_highest = max(all_highest, other);
                all_visible = max(all_visible, visible[unit + step]);
                highest[unit] = all_highest;
                total[unit] = all_total;
                visible[unit] = all_visible;
            }
        }
        sync_cube();
        all_highest = highest[0];
        all_total = total[0];
        all_visible = visible[0];
    }
    Softmax::<C> {
        highest: all_highest,
        total: all_total,
        visible: all_visible,
    }
}
