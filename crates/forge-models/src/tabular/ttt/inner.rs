//! The inner model: what it is asked, and how it learns.

use burn::tensor::Tensor;
use forge_nn::carried;
use forge_nn::ops::{Activation, Axes, activated, matmul};

/// Inside the root of the inner norm.
const EPSILON: f64 = 1e-6;

/// Weights `[B, H, in, out]` and bias `[B, H, 1, out]` of a layer of the inner model.
#[derive(Debug, Clone)]
pub(super) struct FastLayer {
    pub(super) weight: Tensor<4>,
    pub(super) bias: Tensor<4>,
}

carried!(FastLayer { weight, bias });

impl FastLayer {
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        matmul(x, self.weight.clone()) + self.bias.clone()
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            weight: self.weight + other.weight,
            bias: self.bias + other.bias,
        }
    }
}

/// Scale and shift of the inner norm, `[1, H, 1, D/H]`.
#[derive(Debug, Clone)]
pub(super) struct InnerNorm {
    pub(super) weight: Tensor<4>,
    pub(super) bias: Tensor<4>,
}

/// What tokens ask and teach, each `[B, H, K, D/H]`.
#[derive(Debug, Clone)]
pub(super) struct Views {
    pub(super) q: Tensor<4>,
    pub(super) k: Tensor<4>,
    pub(super) v: Tensor<4>,
}

/// What a layer of the inner model saw at the tokens that teach, and the gradient of its output.
pub(super) struct Lesson {
    pub(super) input: Tensor<4>,
    pub(super) gradient: Tensor<4>,
}

impl InnerNorm {
    fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        let (normal, _) = normalised(z);
        normal * self.weight.clone() + self.bias.clone()
    }

    /// The gradient of `½ ‖norm(z) - target‖²`.
    fn gradient(&self, z: Tensor<4>, target: Tensor<4>) -> Tensor<4> {
        let scale = 1.0 / z.dims()[3] as f64;
        let (normal, deviation) = normalised(z);
        let error = normal.clone() * self.weight.clone() + self.bias.clone() - target;
        let error = error * self.weight.clone();
        let level = error.clone().sum_dim(3) * scale;
        let along = (error.clone() * normal.clone()).sum_dim(3) * scale;
        (error - level - normal * along) / deviation
    }
}

/// `(z - mean) / √(var + ε)` and the root.
fn normalised(z: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let scale = 1.0 / z.dims()[3] as f64;
    let centred = z.clone() - z.sum_dim(3) * scale;
    let variance = (centred.clone() * centred.clone()).sum_dim(3) * scale;
    let deviation = (variance + EPSILON).sqrt();
    (centred / deviation.clone(), deviation)
}

/// The gradients of the inner loss at the tokens of `views`, all at the weights `layers`: half the squared
/// distance of `norm(f(k))` to `v - k`.
pub(super) fn lessons(layers: &[FastLayer], norm: &InnerNorm, views: &Views) -> Vec<Lesson> {
    let mut inputs = vec![views.k.clone()];
    let mut outputs: Vec<Tensor<4>> = vec![];
    for layer in layers {
        let input = match outputs.last() {
            Some(z) => {
                let x = activated(z.clone(), Activation::GeluTanh);
                inputs.push(x.clone());
                x
            }
            None => views.k.clone(),
        };
        outputs.push(layer.forward(input));
    }
    let mut lessons = vec![];
    let mut gradient: Option<Tensor<4>> = None;
    for ((layer, input), z) in layers.iter().zip(inputs).zip(outputs).rev() {
        let here = match gradient {
            // The constants of the authors' slope are rounded, and so are these.
            Some(above) => above * activated(z, Activation::GeluTanhSlope),
            None => norm.gradient(z, views.v.clone() - views.k.clone()),
        };
        gradient = Some(matmul(here.clone(), layer.weight.clone().transposed()));
        lessons.push(Lesson {
            input,
            gradient: here,
        });
    }
    lessons.reverse();
    lessons
}

/// Queries through a model: `norm(f(q)) + q`, where `apply` is what its layer `l` does.
pub(super) fn answer(
    q: Tensor<4>,
    n_layers: usize,
    norm: &InnerNorm,
    mut apply: impl FnMut(usize, Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    let mut x = q.clone();
    for l in 0..n_layers {
        x = apply(l, x);
        if l + 1 < n_layers {
            x = activated(x, Activation::GeluTanh);
        }
    }
    norm.forward(x) + q
}
