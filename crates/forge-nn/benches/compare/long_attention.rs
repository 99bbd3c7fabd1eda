//! Attention over long sequences: time and peak memory.

use std::time::Instant;

use burn::tensor::{Distribution, Tensor};
use forge_nn::attention::{LinearAttentionState, linear_attention, linear_attention_causal};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention};

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
    let device = crate::device().autodiff();
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
    // Where the kernel tells, in KiB.
    let peak = std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        })
        .map_or_else(|| "unknown".into(), |kib| format!("{:.0}", kib / 1024.0));
    println!("{kind}_{tokens} {best:.1} ms, peak {peak} MiB");
}
