//! Attention over long sequences: time and peak memory.

use std::time::Instant;

use burn::tensor::module::attention as stock_attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{DType, Distribution, Tensor};
use forge_nn::attention::{LinearAttentionState, linear_attention, linear_attention_causal};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention};
use forge_testkit::bench::{Work, device, peak_mib};

use crate::operations::both;

/// Type and number of tokens of an item `attention_TYPE_TOKENS`.
pub(crate) fn parse(item: &str) -> Option<(DType, usize)> {
    let (dtype, tokens) = item.strip_prefix("attention_")?.split_once('_')?;
    let dtype = match dtype {
        "f32" => DType::F32,
        "f16" => DType::F16,
        "bf16" => DType::BF16,
        _ => return None,
    };
    Some((dtype, tokens.parse().ok()?))
}

/// Attention forward, and backward from a gradient of ones.
pub(crate) fn item(item: &str, stock: bool) -> Work {
    let Some((dtype, tokens)) = parse(item) else {
        unreachable!("the items are checked in main")
    };
    let random = || {
        let normal = Distribution::Normal(0.0, 1.0);
        Tensor::<4>::random([4, 8, tokens, 64], normal, &device().autodiff()).cast(dtype)
    };
    let inputs = vec![random(), random(), random()];
    both(inputs, move |t| {
        let [q, k, v] = [t[0].clone(), t[1].clone(), t[2].clone()];
        if stock {
            stock_attention(q, k, v, None, None, AttentionModuleOptions::default())
        } else {
            forward("softmax", [q, k, v])
        }
    })
}

/// Of which attention: `softmax`, `linear` or `linear_causal`.
fn forward(kind: &str, [q, k, v]: [Tensor<4>; 3]) -> Tensor<4> {
    match kind {
        "softmax" => attention(
            q,
            k,
            v,
            AttentionMask::none(),
            None,
            &AttentionOptions::default(),
        ),
        "linear" => linear_attention(q, k, v, None, 1e-6),
        "linear_causal" => {
            linear_attention_causal(q, k, v, None, 1e-6, &mut LinearAttentionState::new())
        }
        _ => panic!("{kind} is none of softmax, linear, linear_causal"),
    }
}

/// Prints time of forward and backward at B 1, H 8, D 64, and the peak memory of the process.
pub(crate) fn report(kind: &str, tokens: usize) {
    let device = device().autodiff();
    let random = || {
        Tensor::<4>::random([1, 8, tokens, 64], Distribution::Normal(0.0, 1.0), &device)
            .require_grad()
    };
    let (q, k, v, cotangent) = (random(), random(), random(), random().detach());
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        let y = forward(kind, [q.clone(), k.clone(), v.clone()]);
        let grads = (y * cotangent.clone()).sum().backward();
        drop(q.grad(&grads));
        device.sync().unwrap();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let peak = peak_mib();
    println!("{kind}_{tokens} {best:.1} ms, peak {peak} MiB");
}
