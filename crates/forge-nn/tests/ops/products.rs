//! Products and activations on their own, beside Burn's operations and the formulas.

use burn::tensor::Tensor;
use forge_nn::ops::{self, Activation};

use super::cases::{Case, case, part, scaled};
use super::evaluation::values;

/// How a side `[…, rows, columns]` lies in memory.
#[derive(Clone, Copy, Debug)]
enum Lies {
    Plain,
    /// Its last two axes swapped.
    Swapped,
    /// Its first axes swapped, as heads apart from tokens.
    Apart,
    /// Part of something larger.
    Sliced,
}

const WAYS: [Lies; 4] = [Lies::Plain, Lies::Swapped, Lies::Apart, Lies::Sliced];

impl Lies {
    fn len(self, [a, b, rows, columns]: [usize; 4]) -> usize {
        match self {
            Self::Sliced => a * b * (rows + 1) * (columns + 2),
            _ => a * b * rows * columns,
        }
    }

    fn of(self, x: Tensor<1>, [a, b, rows, columns]: [usize; 4]) -> Tensor<4> {
        match self {
            Self::Plain => x.reshape([a, b, rows, columns]),
            Self::Swapped => x.reshape([a, b, columns, rows]).swap_dims(2, 3),
            Self::Apart => x.reshape([b, a, rows, columns]).swap_dims(0, 1),
            Self::Sliced => x.reshape([a, b, rows + 1, columns + 2]).slice([
                0..a,
                0..b,
                1..rows + 1,
                1..columns + 1,
            ]),
        }
    }
}

fn flat(x: Tensor<4>) -> Tensor<1> {
    let n = x.shape().num_elements();
    x.reshape([n])
}

/// Every way for both sides, small; then sizes at which tasks take several products, some rows of
/// one, and none.
pub(crate) fn products() -> Vec<Case> {
    let mut all = vec![];
    let mut add = |[a, b, m, k, n]: [usize; 5], left: Lies, right: Lies| {
        let (lhs, rhs) = ([a, b, m, k], [a, b, k, n]);
        let inputs = vec![values(1, left.len(lhs)), values(2, right.len(rhs))];
        let sides = move |t: &[Tensor<1>]| (left.of(part(t, 0), lhs), right.of(part(t, 1), rhs));
        all.push(case(
            format!("matmul {a}x{b} of {m}x{k}x{n}, {left:?} {right:?}"),
            inputs,
            a * b * m * k * n < 200,
            move |t| {
                let (lhs, rhs) = sides(&t);
                flat(ops::matmul(lhs, rhs))
            },
            move |t| {
                let (lhs, rhs) = sides(&t);
                flat(lhs.matmul(rhs))
            },
        ));
    };
    for left in WAYS {
        for right in WAYS {
            add([2, 3, 2, 3, 5], left, right);
        }
        add([3, 7, 17, 19, 23], left, Lies::Swapped);
    }
    add([1, 1, 1, 1, 1], Lies::Plain, Lies::Plain);
    add([2, 2, 1, 7, 1], Lies::Plain, Lies::Plain);
    add([2, 3, 389, 37, 41], Lies::Apart, Lies::Apart);
    add([1, 1, 37, 389, 41], Lies::Plain, Lies::Swapped);
    all
}

/// Every activation, so many numbers up to such a size each.
pub(crate) fn activations(sizes: &[(usize, f64)]) -> Vec<Case> {
    type Formula = fn(Tensor<1>) -> Tensor<1>;
    fn normal(x: Tensor<1>) -> Tensor<1> {
        x.clone() * ((x * core::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5
    }
    fn by_tanh(x: Tensor<1>) -> Tensor<1> {
        let root = (2.0 / core::f64::consts::PI).sqrt();
        let t = ((x.clone() + x.clone().powi_scalar(3) * 0.044_715) * root).tanh();
        x * (t + 1.0) * 0.5
    }
    // As the authors of test-time training write it.
    fn slope(x: Tensor<1>) -> Tensor<1> {
        let square = x.clone() * x.clone();
        let t = (x.clone() * 0.797_884_56 * (square.clone() * 0.044_715 + 1.0)).tanh();
        let first = -(t.clone() * t.clone()) + 1.0;
        let second = square * 0.107_032_224_3 + 0.797_884_56;
        x * 0.5 * (first * second) + (t + 1.0) * 0.5
    }
    let all: [(Activation, Formula); 9] = [
        (Activation::Relu, |x| burn::tensor::activation::relu(x)),
        (Activation::Gelu, normal),
        (Activation::GeluTanh, by_tanh),
        (Activation::GeluTanhSlope, slope),
        (Activation::Silu, |x| {
            x.clone() * burn::tensor::activation::sigmoid(x)
        }),
        (Activation::Elu, |x| {
            let below = x.clone().clamp_max(0.0).exp() - 1.0;
            burn::tensor::activation::relu(x) + below
        }),
        (Activation::Mish, |x| burn::tensor::activation::mish(x)),
        (Activation::Sin, Tensor::sin),
        (Activation::Cos, Tensor::cos),
    ];
    let mut cases = vec![];
    for (activation, formula) in all {
        for &(len, by) in sizes {
            let smooth = activation != Activation::Relu && len < 100 && by < 3.0;
            cases.push(case(
                format!("{activation:?} of {len} numbers up to {by}"),
                vec![scaled(3, len, by)],
                smooth,
                move |t| ops::activated(part(&t, 0), activation),
                move |t| formula(part(&t, 0)),
            ));
        }
    }
    cases
}
