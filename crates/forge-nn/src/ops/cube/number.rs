//! Numbers inside programs.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// A constant. The one place where literals are made: their type changes between CubeCL versions.
#[cube]
pub(crate) fn number<F: Float>(#[comptime] value: f32) -> F {
    F::new(value)
}

/// A constant in every lane.
#[cube]
pub(crate) fn lanes<F: Float, N: Size>(#[comptime] value: f32) -> Vector<F, N> {
    Vector::new(F::new(value))
}
