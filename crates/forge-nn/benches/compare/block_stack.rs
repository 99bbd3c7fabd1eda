//! Three pre-norm transformer blocks with a ReGLU feed-forward: batch 256, 41 tokens, width 192,
//! 8 heads, hidden width 256, f32.

use burn::module::{Initializer, Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::ops::{
    AttentionMask, AttentionOptions, PackedHeads, attention_packed, dropout_residual, layer_norm,
    linear, reglu,
};
use forge_testkit::bench::{Work, device};
use forge_train::optimizer::OptimizerConfig;

const BATCH: usize = 256;
const TOKENS: usize = 41;
const WIDTH: usize = 192;
const HEADS: usize = 8;
const HIDDEN: usize = 256;
const BLOCKS: usize = 3;

#[derive(Module, Debug)]
struct Ours {
    weights: Vec<Param<Tensor<2>>>,
    vectors: Vec<Param<Tensor<1>>>,
}

impl Ours {
    fn new(device: &Device) -> Self {
        let init = |inputs: usize, outputs: usize| {
            let bound = 1.0 / (inputs as f64).sqrt();
            Initializer::Uniform {
                min: -bound,
                max: bound,
            }
            .init([inputs, outputs], device)
        };
        let mut weights = Vec::new();
        let mut vectors = Vec::new();
        for _ in 0..BLOCKS {
            for (inputs, outputs) in [
                (WIDTH, 3 * WIDTH),
                (WIDTH, WIDTH),
                (WIDTH, 2 * HIDDEN),
                (HIDDEN, WIDTH),
            ] {
                weights.push(init(inputs, outputs));
                vectors.push(Initializer::Zeros.init([outputs], device));
            }
            for _ in 0..2 {
                vectors.push(Initializer::Ones.init([WIDTH], device));
                vectors.push(Initializer::Zeros.init([WIDTH], device));
            }
        }
        Self { weights, vectors }
    }

    fn forward(&self, mut x: Tensor<3>) -> Tensor<3> {
        for block in 0..BLOCKS {
            let w = |i: usize| self.weights[block * 4 + i].val();
            let v = |i: usize| self.vectors[block * 8 + i].val();
            let normal = layer_norm(x.clone(), Some(v(4)), Some(v(5)), 1e-5);
            let qkv = linear(normal, w(0), Some(v(0)));
            let y = attention_packed(
                qkv,
                PackedHeads::equal(HEADS),
                AttentionMask::none(),
                &AttentionOptions::default(),
            );
            x = dropout_residual(linear(y, w(1), Some(v(1))), x, 0.0);
            let normal = layer_norm(x.clone(), Some(v(6)), Some(v(7)), 1e-5);
            let hidden = reglu(linear(normal, w(2), Some(v(2))));
            x = dropout_residual(linear(hidden, w(3), Some(v(3))), x, 0.0);
        }
        x
    }
}

#[derive(Module, Debug)]
struct StockBlock {
    attention_norm: LayerNorm,
    qkv: Linear,
    out: Linear,
    ffn_norm: LayerNorm,
    up: Linear,
    down: Linear,
}

#[derive(Module, Debug)]
struct Stock {
    blocks: Vec<StockBlock>,
}

impl Stock {
    fn new(device: &Device) -> Self {
        let blocks = (0..BLOCKS)
            .map(|_| StockBlock {
                attention_norm: LayerNormConfig::new(WIDTH).init(device),
                qkv: LinearConfig::new(WIDTH, 3 * WIDTH).init(device),
                out: LinearConfig::new(WIDTH, WIDTH).init(device),
                ffn_norm: LayerNormConfig::new(WIDTH).init(device),
                up: LinearConfig::new(WIDTH, 2 * HIDDEN).init(device),
                down: LinearConfig::new(HIDDEN, WIDTH).init(device),
            })
            .collect();
        Self { blocks }
    }

    fn forward(&self, mut x: Tensor<3>) -> Tensor<3> {
        let [b, t, d] = x.dims();
        for block in &self.blocks {
            let qkv = block.qkv.forward(block.attention_norm.forward(x.clone()));
            let [q, k, v] = [0, 1, 2].map(|i| {
                qkv.clone()
                    .slice([0..b, 0..t, i * d..(i + 1) * d])
                    .reshape([b, t, HEADS, d / HEADS])
                    .swap_dims(1, 2)
            });
            let y = attention(q, k, v, None, None, AttentionModuleOptions::default());
            let y = y.swap_dims(1, 2).reshape([b, t, d]);
            x = x + block.out.forward(y);
            let up = block.up.forward(block.ffn_norm.forward(x.clone()));
            let value = up.clone().slice([0..b, 0..t, 0..HIDDEN]);
            let gate = up.slice([0..b, 0..t, HIDDEN..2 * HIDDEN]);
            x = x + block.down.forward(value * relu(gate));
        }
        x
    }
}

fn input(device: &Device) -> Tensor<3> {
    Tensor::random(
        [BATCH, TOKENS, WIDTH],
        Distribution::Normal(0.0, 1.0),
        device,
    )
}

fn training<M: Module + 'static>(
    model: M,
    mut step: impl FnMut(M, GradientsParams) -> M + Send + 'static,
    forward: fn(&M, Tensor<3>) -> Tensor<3>,
) -> Work {
    let x = input(&device().autodiff());
    let mut model = Some(model);
    Box::new(move || {
        let current = model.take().unwrap();
        let y = forward(&current, x.clone());
        let grads = (y.clone() * y).mean().backward();
        let grads = GradientsParams::from_grads(grads, &current);
        model = Some(step(current, grads));
    })
}

pub(crate) fn train(stock: bool) -> Work {
    let device = device().autodiff();
    if stock {
        let mut optimizer = AdamWConfig::new().init();
        let step = move |model, grads| optimizer.step(1e-4, model, grads);
        training(Stock::new(&device), step, Stock::forward)
    } else {
        // As the trainer steps: parameters by name, in decaying and other ones.
        let mut optimizer = OptimizerConfig::default().build().unwrap();
        let step = move |model, grads| optimizer.step(1e-4, model, grads);
        training(Ours::new(&device), step, Ours::forward)
    }
}

pub(crate) fn forward(stock: bool) -> Work {
    let device = device();
    let x = input(&device);
    if stock {
        let model = Stock::new(&device);
        Box::new(move || drop(model.forward(x.clone())))
    } else {
        let model = Ours::new(&device);
        Box::new(move || drop(model.forward(x.clone())))
    }
}
