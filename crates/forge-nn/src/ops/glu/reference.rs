//! The gated linear units made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use super::GluKind;
use crate::ops::expression::Expr;

/// `x Φ(x)`.
pub(crate) fn gelu<B: Backend>(x: Expr<B>) -> Expr<B> {
    x.clone() * normal_cdf(x)
}

/// `Φ(x) + x φ(x)`.
pub(crate) fn gelu_slope<B: Backend>(x: Expr<B>) -> Expr<B> {
    let density = (x.clone() * x.clone())
        .mul_scalar(-0.5)
        .exp()
        .mul_scalar(0.398_942_280_401_432_7);
    normal_cdf(x.clone()) + x * density
}

/// `s + x s (1 - s)` with `s = sigmoid(x)`.
pub(crate) fn silu_slope<B: Backend>(x: Expr<B>) -> Expr<B> {
    let s = x.clone().sigmoid();
    let rest = (-s.clone()).add_scalar(1.0);
    s.clone() + x * s * rest
}

fn normal_cdf<B: Backend>(x: Expr<B>) -> Expr<B> {
    x.mul_scalar(core::f64::consts::FRAC_1_SQRT_2)
        .erf()
        .add_scalar(1.0)
        .mul_scalar(0.5)
}

fn activated<B: Backend>(gate: Expr<B>, kind: GluKind) -> Expr<B> {
    match kind {
        GluKind::Sigmoid => gate.sigmoid(),
        GluKind::Relu => gate.relu(),
        GluKind::Gelu => gelu(gate),
        GluKind::Silu => gate.clone() * gate.sigmoid(),
    }
}

fn halves<B: Backend>(x: &Expr<B>) -> (Expr<B>, Expr<B>) {
    let last = x.rank() - 1;
    let width = x.shape()[last] / 2;
    (
        x.clone().narrow(last, 0, width),
        x.clone().narrow(last, width, 2 * width),
    )
}

pub(super) fn forward<B: Backend>(x: FloatTensor<B>, kind: GluKind) -> FloatTensor<B> {
    let x = Expr::<B>(x);
    if x.is_empty() {
        let mut shape = x.shape();
        let last = x.rank() - 1;
        shape[last] /= 2;
        return x.zeros_like(shape).0;
    }
    let (value, gate) = halves(&x);
    (value * activated(gate, kind)).0
}

pub(super) fn backward<B: Backend>(
    x: FloatTensor<B>,
    dy: FloatTensor<B>,
    kind: GluKind,
) -> FloatTensor<B> {
    let (x, dy) = (Expr::<B>(x), Expr::<B>(dy));
    if x.is_empty() {
        return x.zeros_like(x.shape()).0;
    }
    let last = x.rank() - 1;
    let (value, gate) = halves(&x);
    let (dvalue, dgate) = gradients(value, gate, dy, kind);
    Expr::cat(vec![dvalue, dgate], last).0
}

/// The gradients of value and gate.
fn gradients<B: Backend>(
    value: Expr<B>,
    gate: Expr<B>,
    dy: Expr<B>,
    kind: GluKind,
) -> (Expr<B>, Expr<B>) {
    let dactivated = dy.clone() * value;
    let dgate = match kind {
        GluKind::Sigmoid => {
            let s = gate.clone().sigmoid();
            dactivated * s.clone() * (-s).add_scalar(1.0)
        }
        GluKind::Relu => Expr::relu_backward(gate.clone().relu(), dactivated),
        GluKind::Gelu => dactivated * gelu_slope(gate.clone()),
        GluKind::Silu => dactivated * silu_slope(gate.clone()),
    };
    (dy * activated(gate, kind), dgate)
}

pub(super) fn gated<B: Backend>(
    value: FloatTensor<B>,
    gate: FloatTensor<B>,
    kind: GluKind,
) -> FloatTensor<B> {
    let (value, gate) = (Expr::<B>(value), Expr::<B>(gate));
    if value.is_empty() {
        return value.0;
    }
    (value * activated(gate, kind)).0
}

pub(super) fn gated_backward<B: Backend>(
    value: FloatTensor<B>,
    gate: FloatTensor<B>,
    dy: FloatTensor<B>,
    kind: GluKind,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dy = Expr::<B>(dy);
    if dy.is_empty() {
        return (dy.0.clone(), dy.0);
    }
    let (dvalue, dgate) = gradients(Expr::<B>(value), Expr::<B>(gate), dy, kind);
    (dvalue.0, dgate.0)
}
