//! Blocks that are computed again: the same gradients, the same dropout, less kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::regularisation::{Dropout, DropoutConfig, with_dropout_factor};
use forge_nn::{Linear, LinearConfig, ModuleConfig, StateDict, recomputed, with_recomputation};

#[derive(Module, Debug)]
struct Block {
    norm: LayerNorm,
    attention: MultiHeadAttention,
    up: Linear,
    dropout: Dropout,
}

impl Block {
    fn new(device: &Device, rate: f64) -> Self {
        Self {
            norm: LayerNormConfig::new(6).init(device),
            attention: MultiHeadAttentionConfig::new(6, 2).init(device),
            up: LinearConfig::new(6, 6).init(device),
            dropout: DropoutConfig::new(rate).init(device),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let normal = self.norm.forward(x.clone());
        let y = x + self.attention.forward(normal, AttentionMask::none(), None);
        self.dropout.residual(self.up.forward(y.clone()).tanh(), y)
    }
}

/// As f64, so that rounding does not hide a wrong gradient.
struct Wide;

impl ModuleMapper for Wide {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|t| Tensor::from_inner(t.inner().cast(DType::F64)).require_grad())
    }
}

#[derive(Module, Debug)]
struct Stack {
    blocks: Vec<Block>,
}

fn stack(device: &Device, rate: f64) -> Stack {
    device.seed(5);
    let blocks = (0..3).map(|_| Block::new(device, rate)).collect();
    Stack { blocks }.map(&mut Wide)
}

fn input(device: &Device) -> Tensor<3> {
    let data = (0..2 * 5 * 6)
        .map(|i| (f64::from(i) * 0.37).sin())
        .collect::<Vec<_>>();
    let data = burn::tensor::TensorData::new(data, [2, 5, 6]);
    Tensor::from_data(data, (device, DType::F64))
}

/// All gradients, those of the input first, one after the other.
fn gradients(stack: &Stack, x: &Tensor<3>, loss: &Tensor<1>) -> Vec<f64> {
    struct Read<'a>(&'a burn::tensor::Gradients, Vec<f64>);
    impl burn::module::ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(self.0).unwrap();
            self.1.extend(gradient.into_data().iter::<f64>());
        }
    }
    let grads = loss.backward();
    let first = x.grad(&grads).unwrap().into_data().iter::<f64>().collect();
    let mut read = Read(&grads, first);
    stack.visit(&mut read);
    read.1
}

fn pass(stack: &Stack, x: Tensor<3>) -> Tensor<1> {
    let y = stack
        .blocks
        .iter()
        .fold(x, |x, block| recomputed(block, x, Block::forward));
    (y.clone() * y.sin()).sum()
}

fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    let scale = a.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = a
        .iter()
        .zip(b)
        .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
    assert!(worst <= 1e-13 * scale, "{worst:e} of {scale}");
}

#[test]
fn gradients_are_those_of_a_kept_graph() {
    let device = Device::flex().autodiff();
    let stack = stack(&device, 0.0);
    let x = input(&device).require_grad();
    let kept = pass(&stack, x.clone());
    let again = with_recomputation(7, || pass(&stack, x.clone()));
    assert_eq!(kept.to_data(), again.to_data());
    close(
        &gradients(&stack, &x, &kept),
        &gradients(&stack, &x, &again),
    );
    // An input off the graph, a frozen block, and a block that is used twice.
    let frozen = Stack {
        blocks: vec![stack.blocks[0].clone().no_grad(), stack.blocks[1].clone()],
    };
    let plain = input(&device);
    let twice = |x: &Tensor<3>| {
        let x = recomputed(&frozen.blocks[0], x.clone(), Block::forward);
        let x = recomputed(&frozen.blocks[1], x, Block::forward);
        recomputed(&frozen.blocks[1], x, Block::forward)
            .powi_scalar(3)
            .sum()
    };
    let weight = |loss: Tensor<1>| -> Vec<f64> {
        let grads = loss.backward();
        let gradient = frozen.blocks[1].up.weight.val().grad(&grads).unwrap();
        gradient.into_data().iter().collect()
    };
    close(
        &weight(twice(&plain)),
        &weight(with_recomputation(1, || twice(&plain))),
    );
}

/// Every parameter as the result of an operation.
struct Times(Tensor<1>);
impl ModuleMapper for Times {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let scaled = param.val() * self.0.clone().reshape([1; D]);
        Param::initialized(param.id, scaled)
    }
}

#[test]
fn parameters_that_are_results_get_their_gradients_too() {
    let device = Device::flex().autodiff();
    let block = stack(&device, 0.0).blocks.remove(0);
    let factor = Tensor::<1>::from_data([1.5], (&device, DType::F64)).require_grad();
    // A graph serves one backward pass.
    let scaled = || block.clone().map(&mut Times(factor.clone()));
    let gradient = |loss: Tensor<1>| -> Vec<f64> {
        factor
            .grad(&loss.backward())
            .unwrap()
            .into_data()
            .iter()
            .collect()
    };
    let loss = || {
        let y = recomputed(&scaled(), input(&device), Block::forward);
        y.powi_scalar(3).sum()
    };
    let again = gradient(with_recomputation(0, loss));
    assert!(again[0].abs() > 1e-3);
    close(&gradient(loss()), &again);
}

/// `dropout(x w)`, whose gradient shows the mask that it was computed with.
#[derive(Module, Debug)]
struct Masked {
    w: Param<Tensor<1>>,
    dropout: Dropout,
}

#[test]
fn dropout_is_the_same_both_times() {
    let device = Device::flex().autodiff();
    device.seed(3);
    let masked = Masked {
        w: Param::from_tensor(Tensor::ones([1], &device)),
        dropout: DropoutConfig::new(0.5).init(&device),
    };
    let x = Tensor::<2>::ones([64, 8], &device).require_grad();
    let run = |seed, rate| {
        let pass = |m: &Masked, x: Tensor<2>| m.dropout.forward(x * m.w.val().unsqueeze());
        let y = with_dropout_factor(rate, || {
            with_recomputation(seed, || {
                let first = recomputed(&masked, x.clone(), pass);
                (recomputed(&masked, x.clone(), pass), first)
            })
        });
        // Something else is drawn before the backward pass.
        let _ = Tensor::<1>::random([9], burn::tensor::Distribution::Default, &device).into_data();
        let grads = (y.0.clone() + y.1.clone() * 0.0).sum().backward();
        let gradient: Vec<f32> = x.grad(&grads).unwrap().into_data().iter().collect();
        let mask: Vec<f32> = y.0.into_data().iter().collect();
        let of_first: Vec<f32> = y.1.into_data().iter().collect();
        assert_eq!(gradient, mask);
        (mask, of_first)
    };
    let (mask, of_first) = run(7, 1.0);
    let kept = mask.iter().filter(|m| **m > 0.0).count();
    assert!((180..330).contains(&kept), "{kept} of 512");
    assert_ne!(mask, of_first, "two blocks, one mask");
    assert_eq!(run(7, 1.0).0, mask);
    assert_ne!(run(8, 1.0).0, mask);
    // The rate of the forward pass holds in the backward pass.
    let (half_rate, _) = run(7, 0.5);
    let kept = half_rate.iter().filter(|m| **m > 0.0).count();
    assert!((340..430).contains(&kept), "{kept} of 512");
}

#[test]
fn a_block_is_computed_twice_within_the_scope_alone() {
    let device = Device::flex().autodiff();
    let block = LinearConfig::new(6, 6).init(&device);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = |x: Tensor<3>| {
        let calls = calls.clone();
        recomputed(&block, x, move |block, x| {
            calls.fetch_add(1, Ordering::Relaxed);
            // A block within a block is part of it.
            recomputed(block, x, Linear::forward)
        })
    };
    let x = input(&device).cast(DType::F32);
    let _ = count(x.clone()).sum().backward();
    assert_eq!(calls.swap(0, Ordering::Relaxed), 1);
    let _ = with_recomputation(0, || count(x.clone())).sum().backward();
    assert_eq!(calls.swap(0, Ordering::Relaxed), 2);
    // Nothing is recorded on a plain device, so nothing is computed again.
    let plain = block.valid();
    let y = with_recomputation(0, || recomputed(&plain, x.clone().inner(), Linear::forward));
    assert!(!y.is_autodiff());
}

#[test]
fn running_statistics_move_once() {
    let device = Device::flex().autodiff();
    let norm: BatchNorm = BatchNormConfig::new(6).init(&device);
    let x = Tensor::<2>::ones([4, 6], &device) * 3.0;
    let _ = with_recomputation(0, || recomputed(&norm, x, BatchNorm::forward))
        .sum()
        .backward();
    let state = StateDict::from_module(&norm.valid()).unwrap();
    let mean: Vec<f32> = state.tensors["running_mean"].iter().collect();
    assert!(mean.iter().all(|m| (m - 0.3).abs() < 1e-6), "{mean:?}");
}
