//! Activations on `flex`.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::kind::{CUBE, ROOT, ROUNDED_CUBE, ROUNDED_ROOT, SATURATED};
use super::{Activation, ActivationOps, reference};
use crate::ops::expression::Expr;
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{for_rows, rows_per_task};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};
use crate::ops::flex::waves::Wave;

impl ActivationOps for Flex {
    fn fused_activation(x: FlexTensor, activation: Activation) -> FlexTensor {
        by_dtype!([&x], E => {
            forward::<E>(x, activation)
        }, reference::activated::<Self>(Expr(x), activation).0)
    }

    fn fused_activation_backward(
        x: FlexTensor,
        dy: FlexTensor,
        activation: Activation,
    ) -> FlexTensor {
        by_dtype!([&x, &dy], E => {
            backward::<E>(x, dy, activation)
        }, reference::before_activation::<Self>(Expr(x), Expr(dy), activation).0)
    }
}

fn forward<E: Real>(x: FlexTensor, activation: Activation) -> FlexTensor {
    let shape = x.shape();
    let mut x = Dense::of(x);
    // What nobody else holds is written to in place.
    if let Some(values) = x.unique::<E>() {
        for_rows(values, 1, rows_per_task(1), |_, values| {
            activate(values, activation);
        });
        return x.into_tensor();
    }
    let x = x.slice::<E>();
    let mut out = Buffer::<E>::new(&[x.len()]);
    for_rows(out.as_mut(), 1, rows_per_task(1), |first, out| {
        out.copy_from_slice(&x[first..][..out.len()]);
        activate(out, activation);
    });
    out.into_tensor(shape)
}

fn backward<E: Real>(x: FlexTensor, dy: FlexTensor, activation: Activation) -> FlexTensor {
    let shape = x.shape();
    let (x, dy) = (Dense::of(x), Dense::of(dy));
    before_activation::<E>(x.slice(), dy.slice(), activation).into_tensor(shape)
}

/// `dy · activation'(x)`, over the threads.
pub(in crate::ops) fn before_activation<E: Real>(
    x: &[E],
    dy: &[E],
    activation: Activation,
) -> Buffer<E> {
    // The loops go over both by this length.
    assert_eq!(x.len(), dy.len(), "activation: a gradient of another shape");
    let mut dx = Buffer::<E>::new(&[x.len()]);
    for_rows(dx.as_mut(), 1, rows_per_task(1), |first, dx| {
        let here = first..first + dx.len();
        slopes(dx, &x[here.clone()], &dy[here], activation);
    });
    dx
}

/// `tanh(log(1 + e^x))` and `x` times its slope, without a logarithm: with `n = e^x` and `w = n (n + 2)`
/// they are `w / (w + 2)` and `4 x n (n + 1) / (w + 2)²`.
#[inline(always)]
fn mish_factor<E: Real>(x: E) -> (E, E) {
    // From here on the factor is 1 and its slope nothing to it; the square of the square of e^x would leave
    // the type's range. The comparison lets NaN through.
    let limit = E::of(20.0);
    let is_beyond = x > limit;
    let x = if is_beyond { limit } else { x };
    let two = E::of(2.0);
    let n = x.exp();
    let w = n * (n + two);
    let inverse = E::ONE / (w + two);
    // `x` last, which may be as large as numbers are, and is then met by 0.
    let slope = x * (E::of(4.0) * (n * inverse) * ((n + E::ONE) * inverse));
    (w * inverse, if is_beyond { E::ZERO } else { slope })
}

multiversion! {
    /// Every value through the activation.
    pub(in crate::ops) fn activate<E>(values: &mut [E], activation: Activation) {
        let half = E::of(0.5);
        let (root, cube) = (E::of(ROOT), E::of(CUBE));
        let (rounded_root, rounded_cube) = (E::of(ROUNDED_ROOT), E::of(ROUNDED_CUBE));
        let saturated = E::of(SATURATED);
        match activation {
            Activation::Relu => {
                for z in values {
                    *z = z.larger(E::ZERO);
                }
            }
            Activation::Gelu => {
                for z in values {
                    *z = z.gelu();
                }
            }
            Activation::GeluTanh => {
                for z in values {
                    let x = *z;
                    let t = (x * (E::ONE + cube * x * x) * root).tanh();
                    // Halved first: twice the largest numbers are infinite.
                    *z = x * ((t + E::ONE) * half);
                }
            }
            Activation::GeluTanhSlope => {
                for z in values {
                    let x = z.within(saturated);
                    let square = x * x;
                    let t = (x * (E::ONE + cube * square) * rounded_root).tanh();
                    let inner = square * rounded_cube + rounded_root;
                    *z = (x * (E::ONE - t * t) * inner + t + E::ONE) * half;
                }
            }
            Activation::Silu => {
                for z in values {
                    *z = z.silu();
                }
            }
            Activation::Elu => {
                for z in values {
                    let x = *z;
                    // The comparison lets NaN through.
                    let below = if x > E::ZERO { E::ZERO } else { x };
                    *z = x.larger(E::ZERO) + (below.exp() - E::ONE);
                }
            }
            Activation::Mish => {
                for z in values {
                    *z *= mish_factor(*z).0;
                }
            }
            Activation::Sin => E::waves(values, Wave::Sine),
            Activation::Cos => E::waves(values, Wave::Cosine),
        }
    }
}

multiversion! {
    /// `out = dy · activation'(z)`.
    pub(in crate::ops) fn slopes<E>(out: &mut [E], z: &[E], dy: &[E], activation: Activation) {
        let (half, two, three) = (E::of(0.5), E::of(2.0), E::of(3.0));
        let (root, cube) = (E::of(ROOT), E::of(CUBE));
        let (rounded_root, rounded_cube) = (E::of(ROUNDED_ROOT), E::of(ROUNDED_CUBE));
        let saturated = E::of(SATURATED);
        let triples = out.iter_mut().zip(z).zip(dy);
        match activation {
            Activation::Relu => {
                for ((out, &z), &dy) in triples {
                    *out = if z > E::ZERO { dy } else { E::ZERO };
                }
            }
            Activation::Gelu => {
                for ((out, &z), &dy) in triples {
                    *out = dy * z.gelu_slope();
                }
            }
            Activation::GeluTanh => {
                for ((out, x), &dy) in triples {
                    let x = x.within(saturated);
                    let square = x * x;
                    let t = (x * (E::ONE + cube * square) * root).tanh();
                    let inside = root * (E::ONE + three * cube * square);
                    *out = dy * half * (t + E::ONE + x * (E::ONE - t * t) * inside);
                }
            }
            Activation::GeluTanhSlope => {
                for ((out, x), &dy) in triples {
                    let x = x.within(saturated);
                    let square = x * x;
                    let t = (x * (E::ONE + cube * square) * rounded_root).tanh();
                    let rest = E::ONE - t * t;
                    let changes = rest * rounded_root * (E::ONE + three * cube * square);
                    let inner = square * rounded_cube + rounded_root;
                    let direct = rest * inner + changes;
                    let by_tanh = two * x * t * changes * inner;
                    *out = dy * half * (direct - by_tanh + two * rounded_cube * square * rest);
                }
            }
            Activation::Silu => {
                for ((out, &z), &dy) in triples {
                    *out = dy * z.silu_slope();
                }
            }
            Activation::Elu => {
                for ((out, &z), &dy) in triples {
                    let below = if z > E::ZERO { E::ZERO } else { z };
                    *out = dy * below.exp();
                }
            }
            Activation::Mish => {
                for ((out, &z), &dy) in triples {
                    let (factor, slope) = mish_factor(z);
                    *out = dy * (factor + slope);
                }
            }
            Activation::Sin | Activation::Cos => {
                let (wave, sign) = match activation {
                    Activation::Sin => (Wave::Cosine, E::ONE),
                    _ => (Wave::Sine, -E::ONE),
                };
                out.copy_from_slice(z);
                E::waves(out, wave);
                for (out, &dy) in out.iter_mut().zip(dy) {
                    *out *= sign * dy;
                }
            }
        }
    }
}
