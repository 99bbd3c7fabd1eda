//! One unit takes one vector of the output.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::GluKind;
use crate::ops::cube::number::lanes;

/// `1 / (1 + exp(-x))`.
#[cube]
fn sigmoid<F: Float, N: Size>(x: Vector<F, N>) -> Vector<F, N> {
    let one = lanes::<F, N>(1.0_f32);
    one / (one + (-x).exp())
}

/// `Φ(x)`.
#[cube]
fn normal_cdf<F: Float, N: Size>(x: Vector<F, N>) -> Vector<F, N> {
    let scaled = x * lanes::<F, N>(core::f32::consts::FRAC_1_SQRT_2);
    (scaled.erf() + lanes::<F, N>(1.0_f32)) * lanes::<F, N>(0.5_f32)
}

#[cube]
fn activated<F: Float, N: Size>(gate: Vector<F, N>, #[comptime] kind: GluKind) -> Vector<F, N> {
    match comptime![kind] {
        GluKind::Sigmoid => sigmoid::<F, N>(gate),
        GluKind::Relu => max(gate, lanes::<F, N>(0.0_f32)),
        GluKind::Gelu => gate * normal_cdf::<F, N>(gate),
        GluKind::Silu => gate * sigmoid::<F, N>(gate),
    }
}

#[cube]
fn slope<F: Float, N: Size>(gate: Vector<F, N>, #[comptime] kind: GluKind) -> Vector<F, N> {
    let one = lanes::<F, N>(1.0_f32);
    match comptime![kind] {
        GluKind::Sigmoid => {
            let s = sigmoid::<F, N>(gate);
            s * (one - s)
        }
        GluKind::Relu => {
            let zero = lanes::<F, N>(0.0_f32);
            select_many(gate.greater_than(&zero), one, zero)
        }
        GluKind::Gelu => {
            let density =
                (gate * gate * lanes::<F, N>(-0.5_f32)).exp() * lanes::<F, N>(0.398_942_3_f32);
            normal_cdf::<F, N>(gate) + gate * density
        }
        GluKind::Silu => {
            let s = sigmoid::<F, N>(gate);
            s + gate * s * (one - s)
        }
    }
}

/// `x`: `[rows, 2, width]`, `y`: `[rows, width]`, in vectors.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn forward<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    y: &mut [Vector<E, N>],
    vectors: usize,
    width: usize,
    #[comptime] kind: GluKind,
    #[define(E, C)] _dtypes: [ElemType; 2],
) {
    let position = ABSOLUTE_POS;
    if position >= vectors {
        terminate!();
    }
    let at = position + position / width * width;
    let value = Vector::<C, N>::cast_from(x[at]);
    let gate = Vector::<C, N>::cast_from(x[at + width]);
    y[position] = Vector::cast_from(value * activated::<C, N>(gate, kind));
}

/// `x`, `dx`: `[rows, 2, width]`, `dy`: `[rows, width]`, in vectors.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn backward<E: Float, C: Float, N: Size>(
    x: &[Vector<E, N>],
    dy: &[Vector<E, N>],
    dx: &mut [Vector<E, N>],
    vectors: usize,
    width: usize,
    #[comptime] kind: GluKind,
    #[define(E, C)] _dtypes: [ElemType; 2],
) {
    let position = ABSOLUTE_POS;
    if position >= vectors {
        terminate!();
    }
    let at = position + position / width * width;
    let value = Vector::<C, N>::cast_from(x[at]);
    let gate = Vector::<C, N>::cast_from(x[at + width]);
    let dy = Vector::<C, N>::cast_from(dy[position]);
    dx[at] = Vector::cast_from(dy * activated::<C, N>(gate, kind));
    dx[at + width] = Vector::cast_from(dy * value * slope::<C, N>(gate, kind));
}
