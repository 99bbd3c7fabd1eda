//! From products to scores: scale, softcap, bias, and what is hidden.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::{Form, Problem};
use super::place::Place;
use crate::ops::cube::number::{lanes, number};

/// Turns the products `q · k` in `scores` into scores; hidden ones become [`HIDDEN`]. With a
/// softcap, `slopes` are those of the squashing.
#[cube]
#[allow(clippy::too_many_arguments)]
pub(super) fn score<E: Float, C: Float, M: Int, N: Size>(
    scores: &mut Array<Vector<C, N>>,
    slopes: &mut Array<Vector<C, N>>,
    bias: &ComptimeOption<&[E]>,
    mask: &ComptimeOption<&[M]>,
    place: &Place<N>,
    problem: &Problem,
    #[comptime] form: Form,
) {
    let scale = Vector::<C, N>::new(problem.scale.get::<C>());
    let inside = place.is_inside(problem, form);
    #[unroll]
    for j in 0..form.block {
        let mut value = scores[j] * scale;
        if comptime![form.softcap] {
            let cap = Vector::<C, N>::new(problem.softcap.get::<C>());
            let squashed = (value / cap).tanh();
            slopes[j] = lanes::<C, N>(1.0_f32) - squashed * squashed;
            value = squashed * cap;
        }
        value = biased::<E, C, N>(value, bias, place, problem, j);
        if !inside {
            value = in_range::<C, N>(value, place, problem, j, form);
        }
        value = allowed::<C, M, N>(value, mask, place, problem, j, form);
        scores[j] = value;
    }
}

/// Hides pairs that do not exist or that causality or the window forbids.
#[cube]
fn in_range<C: Float, N: Size>(
    value: Vector<C, N>,
    place: &Place<N>,
    problem: &Problem,
    #[comptime] j: usize,
    #[comptime] form: Form,
) -> Vector<C, N> {
    let hidden = lanes::<C, N>(HIDDEN);
    let query = place.queries(j);
    let key = place.keys(j);
    let queries = Vector::<i32, N>::new(problem.queries as i32);
    let keys = Vector::<i32, N>::new(problem.keys as i32);
    let value = select_many(query.less_than(&queries), value, hidden);
    let mut value = select_many(key.less_than(&keys), value, hidden);
    if comptime![form.structured] {
        // How far behind its own position a query looks.
        let behind = query + keys - queries - key;
        let left = Vector::<i32, N>::new(problem.left);
        let right = Vector::<i32, N>::new(-problem.right);
        value = select_many(behind.less_equal(&left), value, hidden);
        value = select_many(behind.greater_equal(&right), value, hidden);
    }
    value
}

/// With the bias, if there is one.
#[cube]
fn biased<E: Float, C: Float, N: Size>(
    value: Vector<C, N>,
    bias: &ComptimeOption<&[E]>,
    place: &Place<N>,
    problem: &Problem,
    #[comptime] j: usize,
) -> Vector<C, N> {
    let count = N::value().comptime();
    let mut value = value;
    #[comptime]
    if let ComptimeOption::Some(bias) = &bias {
        let mut values = lanes::<C, N>(0.0_f32);
        #[unroll(count == 1)]
        for lane in 0..count {
            let (query, key) = place.pair(lane, j, problem);
            let at = (place.head * problem.queries + query) * problem.keys + key;
            values.insert_dynamic(lane, C::cast_from(bias[at]));
        }
        value += values;
    }
    value
}

/// Hides what the mask hides, if there is one.
#[cube]
fn allowed<C: Float, M: Int, N: Size>(
    value: Vector<C, N>,
    mask: &ComptimeOption<&[M]>,
    place: &Place<N>,
    problem: &Problem,
    #[comptime] j: usize,
    #[comptime] form: Form,
) -> Vector<C, N> {
    let hidden = number::<C>(HIDDEN);
    let count = N::value().comptime();
    let mut value = value;
    #[comptime]
    if let ComptimeOption::Some(mask) = &mask {
        let base = place.batch * problem.mask_batch + place.head * problem.mask_head;
        if comptime![form.mask_by_key && !place.lanes_are_keys] {
            let (_, key) = place.pair(0usize, j, problem);
            if mask[base + key] == M::from_int(0) {
                value = Vector::new(hidden);
            }
        } else {
            #[unroll(count == 1)]
            for lane in 0..count {
                let (query, key) = place.pair(lane, j, problem);
                if mask[base + query * problem.mask_row + key] == M::from_int(0) {
                    value.insert_dynamic(lane, hidden);
                }
            }
        }
    }
    value
}

/// Stands for a hidden score: the lowest finite number, so that no visible score is below it but -∞.
pub(super) const HIDDEN: f32 = f32::MIN;

/// `exp(score - shift)`, zero where hidden. A score that is NaN is not hidden.
#[cube]
pub(super) fn weight<C: Float, N: Size>(score: Vector<C, N>, shift: Vector<C, N>) -> Vector<C, N> {
    let hidden = score.equal(&lanes::<C, N>(HIDDEN));
    select_many(hidden, lanes::<C, N>(0.0_f32), (score - shift).exp())
}

/// `seen`, which is 0 or 1, or 1 where a score is visible.
#[cube]
pub(super) fn seen<C: Float, N: Size>(score: Vector<C, N>, seen: Vector<C, N>) -> Vector<C, N> {
    let hidden = score.equal(&lanes::<C, N>(HIDDEN));
    select_many(hidden, seen, lanes::<C, N>(1.0_f32))
}
