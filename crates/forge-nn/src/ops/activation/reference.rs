//! Activations made of Burn's operations.

use burn::backend::Backend;

use super::Activation;
use super::kind::{CUBE, ROOT, ROUNDED_CUBE, ROUNDED_ROOT, SATURATED};
use crate::ops::expression::Expr;
use crate::ops::glu::reference::{gelu, gelu_slope, silu_slope};

pub(crate) fn activated<B: Backend>(x: Expr<B>, activation: Activation) -> Expr<B> {
    match activation {
        Activation::Relu => x.relu(),
        Activation::Gelu => gelu(x),
        Activation::GeluTanh => {
            let t = tanh_of(x.clone(), ROOT);
            x * t.add_scalar(1.0).mul_scalar(0.5)
        }
        Activation::GeluTanhSlope => {
            let x = x.within(SATURATED);
            let t = tanh_of(x.clone(), ROUNDED_ROOT);
            let rest = one_less_square(t.clone());
            x.clone() * rest * inner(x).mul_scalar(0.5) + t.add_scalar(1.0).mul_scalar(0.5)
        }
        Activation::Silu => x.clone() * x.sigmoid(),
        // The exponential of what is below 0 alone, which is finite.
        Activation::Elu => x.clone().relu() + x.at_most(0.0).exp().add_scalar(-1.0),
        Activation::Mish => x.clone() * softplus(x).tanh(),
        Activation::Sin => x.sin(),
        Activation::Cos => x.cos(),
    }
}

/// The gradient of the value before the activation.
pub(crate) fn before_activation<B: Backend>(
    x: Expr<B>,
    dy: Expr<B>,
    activation: Activation,
) -> Expr<B> {
    match activation {
        Activation::Relu => Expr::relu_backward(x.relu(), dy),
        Activation::Gelu => dy * gelu_slope(x),
        Activation::GeluTanh => {
            let x = x.within(SATURATED);
            let t = tanh_of(x.clone(), ROOT);
            let changes = one_less_square(t.clone()) * slope_inside(x.clone(), ROOT);
            dy * (t.add_scalar(1.0) + x * changes).mul_scalar(0.5)
        }
        Activation::GeluTanhSlope => {
            let x = x.within(SATURATED);
            let t = tanh_of(x.clone(), ROUNDED_ROOT);
            let rest = one_less_square(t.clone());
            let changes = rest.clone() * slope_inside(x.clone(), ROUNDED_ROOT);
            let inner = inner(x.clone());
            let direct = rest.clone() * inner.clone() + changes.clone();
            let by_tanh = (x.clone() * t * changes * inner).mul_scalar(-2.0);
            let by_inner = (x.clone() * x * rest).mul_scalar(2.0 * ROUNDED_CUBE);
            dy * (direct + by_tanh + by_inner).mul_scalar(0.5)
        }
        Activation::Silu => dy * silu_slope(x),
        Activation::Elu => dy * x.at_most(0.0).exp(),
        Activation::Mish => {
            let t = softplus(x.clone()).tanh();
            let changes = one_less_square(t.clone()) * x.clone().sigmoid();
            dy * (t + x * changes)
        }
        Activation::Sin => dy * x.cos(),
        Activation::Cos => (dy * x.sin()).mul_scalar(-1.0),
    }
}

/// `log(1 + e^x)`, as `max(x, 0) + log(1 + e^-|x|)`.
fn softplus<B: Backend>(x: Expr<B>) -> Expr<B> {
    let above = x.clone().relu();
    let size = x - above.clone().mul_scalar(2.0);
    above + size.exp().log_1p()
}

/// `tanh(root (x + 0.044715 x³))`.
fn tanh_of<B: Backend>(x: Expr<B>, root: f64) -> Expr<B> {
    let factor = (x.clone() * x.clone()).mul_scalar(CUBE).add_scalar(1.0);
    (x * factor).mul_scalar(root).tanh()
}

/// The slope of what is inside the tanh.
fn slope_inside<B: Backend>(x: Expr<B>, root: f64) -> Expr<B> {
    let square = (x.clone() * x).mul_scalar(3.0 * CUBE);
    square.add_scalar(1.0).mul_scalar(root)
}

fn one_less_square<B: Backend>(t: Expr<B>) -> Expr<B> {
    (t.clone() * t).mul_scalar(-1.0).add_scalar(1.0)
}

fn inner<B: Backend>(x: Expr<B>) -> Expr<B> {
    let square = (x.clone() * x).mul_scalar(ROUNDED_CUBE);
    square.add_scalar(ROUNDED_ROOT)
}
