//! Which weights are dropped: [`DropoutMask`](crate::ops::dropout_mask::DropoutMask) inside a
//! program.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::form::{Form, Problem};
use super::place::Place;
use crate::ops::cube::number::lanes;

/// The halves of a seed.
#[derive(Clone, Copy, CubeType)]
pub(super) struct Seed {
    low: u32,
    high: u32,
}

#[cube]
impl Seed {
    /// From four whole numbers below 2¹⁶, the highest first.
    pub(super) fn read(parts: &ComptimeOption<&[f32]>) -> Seed {
        let mut low = 0u32;
        let mut high = 0u32;
        #[comptime]
        if let ComptimeOption::Some(parts) = &parts {
            high = (part(parts[0]) << 16u32) | part(parts[1]);
            low = (part(parts[2]) << 16u32) | part(parts[3]);
        }
        Seed { low, high }
    }
}

#[cube]
fn part(value: f32) -> u32 {
    u32::cast_from(value) & 0xFFFFu32
}

/// The "lowbias32" finaliser.
#[cube]
fn mixed<N: Size>(h: Vector<u32, N>) -> Vector<u32, N> {
    let h = (h ^ (h >> Vector::new(16u32))) * Vector::new(0x7FEB_352Du32);
    let h = (h ^ (h >> Vector::new(15u32))) * Vector::new(0x846C_A68Bu32);
    h ^ (h >> Vector::new(16u32))
}

/// Multiplies by 0 or `1 / (1 - p)`.
#[cube]
pub(super) fn apply<C: Float, N: Size>(
    weights: &mut Array<Vector<C, N>>,
    seed: &Seed,
    place: &Place<N>,
    problem: &Problem,
    #[comptime] form: Form,
) {
    let keep = Vector::<C, N>::new(problem.keep_scale.get::<C>());
    let threshold = Vector::<u32, N>::new(problem.drop_threshold);
    let row = (place.batch * problem.heads + place.head) * problem.queries;
    #[unroll]
    for j in 0..form.block {
        let query = Vector::<u32, N>::cast_from(place.queries(j)) + Vector::new(row as u32);
        let key = Vector::<u32, N>::cast_from(place.keys(j));
        let row_key = mixed(mixed(query ^ Vector::new(seed.low)) ^ Vector::new(seed.high));
        let hash = mixed((key * Vector::new(0x9E37_79B9u32)) ^ row_key);
        let kept = hash.greater_equal(&threshold);
        weights[j] = select_many(kept, weights[j] * keep, lanes::<C, N>(0.0_f32));
    }
}
