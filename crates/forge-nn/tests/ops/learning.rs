//! Test-time training beside its primal form: each token has weights of its own.

use burn::tensor::Tensor;
use forge_nn::ops::{self, Activation, activated};

use super::cases::{Case, case, part, scaled};
use super::evaluation::values;
use super::recurrences::heads;

const EPSILON: f64 = 1e-6;

/// `[batch, heads, time, width, mini-batch, hidden]`, a hidden width of 0 for a linear model. Every third is
/// short: devices that compile each operation for each shape take those alone.
const SIZES: [[usize; 6]; 7] = [
    [1, 1, 3, 2, 5, 1],
    [2, 3, 7, 4, 3, 0],
    [2, 2, 9, 5, 4, 7],
    [1, 2, 3, 3, 2, 0],
    [1, 2, 37, 18, 16, 0],
    [1, 2, 37, 6, 16, 33],
    [1, 2, 6, 4, 4, 0],
];

/// Weights `[B, H, in, out]` and biases `[B, H, 1, out]`.
type Layers = Vec<[Tensor<4>; 2]>;

struct Norm {
    weight: Tensor<4>,
    bias: Tensor<4>,
}

impl Norm {
    fn statistics(z: &Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let centred = z.clone() - z.clone().mean_dim(3);
        let variance = centred.clone().square().mean_dim(3);
        (centred, (variance + EPSILON).sqrt())
    }

    fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        let (centred, root) = Self::statistics(&z);
        centred / root * self.weight.clone() + self.bias.clone()
    }

    /// The gradient of half the squared error, by the Jacobian of the norm: `(1 - 1/D - c cᵀ / (D r²)) / r`.
    fn gradient(&self, z: Tensor<4>, target: Tensor<4>) -> Tensor<4> {
        let width = z.dims()[3] as f64;
        let error = (self.forward(z.clone()) - target) * self.weight.clone();
        let (centred, root) = Self::statistics(&z);
        let along = (error.clone() * centred.clone()).sum_dim(3);
        // Not divided by the width: the gradient of Burn's division by a number rounds it to f32.
        let along = centred * along / root.clone().square() * (1.0 / width);
        (error.clone() - error.mean_dim(3) - along) / root
    }
}

/// The gradients of weights and biases at one token, `[B, H, 1, D]`.
fn lesson(layers: &Layers, norm: &Norm, k: Tensor<4>, v: Tensor<4>) -> Layers {
    let target = v - k.clone();
    let first = k.clone().matmul(layers[0][0].clone()) + layers[0][1].clone();
    let of_layer = |x: Tensor<4>, d: Tensor<4>| [x.transpose().matmul(d.clone()), d];
    let Some([weight, bias]) = layers.get(1) else {
        return vec![of_layer(k, norm.gradient(first, target))];
    };
    let hidden = activated(first.clone(), Activation::GeluTanh);
    let second = hidden.clone().matmul(weight.clone()) + bias.clone();
    let above = norm.gradient(second, target);
    let slope = activated(first, Activation::GeluTanhSlope);
    let below = above.clone().matmul(weight.clone().transpose()) * slope;
    vec![of_layer(k, below), of_layer(hidden, above)]
}

fn ttt_by_token(
    [q, k, v]: [Tensor<4>; 3],
    rates: Tensor<3>,
    scales: Tensor<1>,
    parameters: Tensor<2>,
    hidden: Option<usize>,
) -> Tensor<4> {
    let [batch, count, time, width] = q.dims();
    let mut start = 0;
    let mut next = |rows: usize, columns: usize| {
        let flat = parameters.clone().narrow(1, start, rows * columns);
        start += rows * columns;
        flat.reshape([1, count, rows, columns])
    };
    let norm = Norm {
        weight: next(1, width),
        bias: next(1, width),
    };
    let sizes = match hidden {
        None => vec![[width, width]],
        Some(hidden) => vec![[width, hidden], [hidden, width]],
    };
    let mut layers: Layers = vec![];
    for [input, output] in sizes {
        let parts = [(input, output), (1, output)];
        layers.push(
            parts.map(|(rows, columns)| next(rows, columns).expand([batch, count, rows, columns])),
        );
    }
    let size = scales.dims()[0];
    let token = |x: &Tensor<4>, t: usize| x.clone().narrow(2, t, 1);
    let mut answers = vec![];
    let mut now = layers.clone();
    let mut sums: Layers = vec![];
    for t in 0..time {
        if t % size == 0 {
            layers = now;
            sums = vec![];
        }
        let rate = rates.clone().narrow(2, t, 1).unsqueeze_dim::<4>(3);
        let mut lesson = lesson(&layers, &norm, token(&k, t), token(&v, t));
        for (l, parts) in lesson.iter_mut().enumerate() {
            for (i, part) in parts.iter_mut().enumerate() {
                *part = part.clone() * rate.clone();
                if let Some(before) = sums.get(l) {
                    *part = part.clone() + before[i].clone();
                }
            }
        }
        sums = lesson;
        let scale = scales.clone().narrow(0, t % size, 1).reshape([1, 1, 1, 1]);
        let learned = layers.iter().zip(&sums);
        now = learned
            .map(|(layer, sum)| [0, 1].map(|i| layer[i].clone() - sum[i].clone() * scale.clone()))
            .collect();
        let mut x = token(&q, t);
        for (l, [weight, bias]) in now.iter().enumerate() {
            if l > 0 {
                x = activated(x, Activation::GeluTanh);
            }
            x = x.matmul(weight.clone()) + bias.clone();
        }
        answers.push(norm.forward(x) + token(&q, t));
    }
    Tensor::cat(answers, 2)
}

pub(crate) fn ttts() -> Vec<Case> {
    let case = |[batch, count, time, width, size, hidden]: [usize; 6]| {
        let views = [batch, count, time, width];
        let numbers: usize = views.iter().product();
        let parameters = match hidden {
            0 => width * (width + 1),
            _ => hidden * (width + 1) + width * (hidden + 1),
        };
        let parameters = 2 * width + parameters;
        let hidden = (hidden > 0).then_some(hidden);
        let inputs = move |t: &[Tensor<1>]| {
            (
                [0, 1, 2].map(|i| heads(part(t, i), views)),
                part(t, 3).reshape([batch, time, count]).swap_dims(1, 2),
                part(t, 4),
                part(t, 5).reshape([count, parameters]),
            )
        };
        case(
            format!("ttt {batch}x{count}x{time}x{width} by {size}, {hidden:?} hidden"),
            vec![
                values(1, numbers),
                values(2, numbers),
                values(3, numbers),
                scaled(4, batch * time * count, 0.2),
                values(5, size),
                values(6, count * parameters),
            ],
            time < 10,
            move |t| {
                let (views, rates, scales, parameters) = inputs(&t);
                ops::ttt(views, rates, scales, parameters, hidden).flatten(0, 3)
            },
            move |t| {
                let (views, rates, scales, parameters) = inputs(&t);
                ttt_by_token(views, rates, scales, parameters, hidden).flatten(0, 3)
            },
        )
    };
    SIZES.map(case).into()
}
