//! One operation, forward and backward, at the sizes of the block stack. The output's gradient is
//! a tensor of ones, on all sides.

use burn::optim::Optimizer;
use burn::tensor::activation::{gelu, relu, silu, softmax};
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Distribution, Tensor};
use forge_nn::ops;
use forge_nn::ops::{AttentionMask, AttentionOptions};
use forge_testkit::bench::{Work, device};
use forge_train::optimizer::{AdamW, AdamWConfig};

const ROWS: usize = 256 * 41;

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device().autodiff())
}

/// Forward, then backward from a gradient of ones.
pub(crate) fn both<const D: usize, const E: usize>(
    inputs: Vec<Tensor<D>>,
    f: impl Fn(&[Tensor<D>]) -> Tensor<E> + Send + 'static,
) -> Work {
    Box::new(move || {
        let leaves: Vec<_> = inputs.iter().map(|x| x.clone().require_grad()).collect();
        let grads = f(&leaves).backward();
        for leaf in leaves {
            drop(leaf.grad(&grads).unwrap());
        }
    })
}

fn halves(x: &Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let [rows, width] = x.dims();
    (
        x.clone().slice([0..rows, 0..width / 2]),
        x.clone().slice([0..rows, width / 2..width]),
    )
}

pub(crate) fn work(item: &str, stock: bool) -> Work {
    match item {
        "attention" => {
            let shape = [256, 8, 41, 24];
            let inputs = vec![random(shape), random(shape), random(shape)];
            both(inputs, move |t| {
                let [q, k, v] = [t[0].clone(), t[1].clone(), t[2].clone()];
                if stock {
                    attention(q, k, v, None, None, AttentionModuleOptions::default())
                } else {
                    let options = AttentionOptions::default();
                    ops::attention(q, k, v, AttentionMask::none(), None, &options)
                }
            })
        }
        "linear" => {
            let bias = random([576]).require_grad();
            let inputs = vec![random([ROWS, 192]), random([192, 576])];
            both(inputs, move |t| {
                let (x, w, b) = (t[0].clone(), t[1].clone(), bias.clone());
                if stock {
                    burn::tensor::module::linear(x, w, Some(b))
                } else {
                    ops::linear(x, w, Some(b))
                }
            })
        }
        "layer_norm" => {
            let norm = burn::nn::LayerNormConfig::new(192).init(&device().autodiff());
            both(vec![random([ROWS, 192])], move |t| {
                let x = t[0].clone();
                if stock {
                    norm.forward(x)
                } else {
                    let bias = norm.beta.as_ref().map(|beta| beta.val());
                    ops::layer_norm(x, Some(norm.gamma.val()), bias, 1e-5)
                }
            })
        }
        "rms_norm" => {
            let norm = burn::nn::RmsNormConfig::new(192).init(&device().autodiff());
            both(vec![random([ROWS, 192])], move |t| {
                let x = t[0].clone();
                if stock {
                    norm.forward(x)
                } else {
                    ops::rms_norm(x, Some(norm.gamma.val()), 1e-5)
                }
            })
        }
        "reglu" | "geglu" | "swiglu" => {
            #[allow(clippy::disallowed_methods, reason = "as stock Burn has it")]
            let act: fn(Tensor<2>) -> Tensor<2> = match item {
                "reglu" => relu,
                "geglu" => gelu,
                _ => silu,
            };
            let op: fn(Tensor<2>) -> Tensor<2> = match item {
                "reglu" => ops::reglu,
                "geglu" => ops::geglu,
                _ => ops::swiglu,
            };
            both(vec![random([ROWS, 512])], move |t| {
                if stock {
                    let (value, gate) = halves(&t[0]);
                    value * act(gate)
                } else {
                    op(t[0].clone())
                }
            })
        }
        "softmax" => {
            let shape = [256, 8, 41, 41];
            both(vec![random(shape)], move |t| {
                let x = t[0].clone();
                if stock {
                    softmax(x, 3)
                } else {
                    ops::softmax(x, 3)
                }
            })
        }
        "dropout_residual" => {
            let dropout = burn::nn::DropoutConfig::new(0.1).init();
            let shape = [256, 41, 192];
            both(vec![random(shape), random(shape)], move |t| {
                let [x, residual] = [t[0].clone(), t[1].clone()];
                if stock {
                    residual + dropout.forward(x)
                } else {
                    ops::dropout_residual(x, residual, 0.1)
                }
            })
        }
        "adamw" if stock => steps(burn::optim::AdamWConfig::new().build()),
        "adamw" => steps(AdamW::new(&AdamWConfig::default(), 0.01)),
        _ => unreachable!("the items are checked in main"),
    }
}

/// Optimiser steps over the weights of the block stack.
fn steps<O: Optimizer>(optimizer: O) -> Work {
    let device = device();
    let normal = Distribution::Normal(0.0, 1.0);
    let mut all: Vec<_> = [[192, 576], [192, 192], [192, 512], [256, 192]]
        .into_iter()
        .cycle()
        .take(12)
        .map(|shape| {
            let weight = Tensor::<2>::random(shape, normal, &device);
            let grad = Tensor::<2>::random(shape, normal, &device);
            Some((weight, grad, None))
        })
        .collect();
    Box::new(move || {
        for slot in &mut all {
            let (weight, grad, state) = slot.take().unwrap();
            let (weight, state) = optimizer.step(1e-4, weight, grad.clone(), state);
            *slot = Some((weight, grad, state));
        }
    })
}
