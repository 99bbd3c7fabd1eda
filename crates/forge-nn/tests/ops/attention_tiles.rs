//! Both passes of attention compute the same scores to the last bit, however large they are: the
//! backward pass's weights of a row sum to 1.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention};

use super::evaluation::{tensor, values};

/// The sum of the backward pass's weights of some queries: with a gradient of 1 at one query alone, the
/// gradients of the values are its weights. Each query has a feature of the values for itself.
fn sums(tokens: usize, seed: u64, size: f64, options: &AttentionOptions) -> Vec<(usize, f64)> {
    let width = 16;
    let device = Device::flex().autodiff();
    let [q, k] = [2 * seed, 2 * seed + 1].map(|seed| {
        (tensor(&values(seed, tokens * width), DType::F32, &device) * size.sqrt())
            .reshape([1, 1, tokens, width])
    });
    // Rows at both sides of the edges of tiles, and in what is left behind the last whole one.
    let edges = (0..tokens).step_by(128);
    let mut rows: Vec<usize> = edges
        .flat_map(|edge| [edge.saturating_sub(1), edge])
        .collect();
    rows.extend([tokens / 2 + 3, tokens - 1]);
    let features = rows.len();
    let mut own = vec![0.0; tokens * features];
    for (feature, row) in rows.iter().enumerate() {
        own[row * features + feature] = 1.0;
    }
    let shape = [1, 1, tokens, features];
    let own = tensor(&own, DType::F32, &device).reshape(shape);
    let v = Tensor::<4>::ones(shape, &device).require_grad();
    let y = attention(q, k, v.clone(), AttentionMask::none(), None, options);
    let grads = (y * own).sum().backward();
    let dv: Vec<f64> = v.grad(&grads).unwrap().into_data().iter().collect();
    let sum = |feature| dv.iter().skip(feature).step_by(features).sum();
    rows.into_iter()
        .enumerate()
        .map(|(feature, row)| (row, sum(feature)))
        .collect()
}

/// Whether a score is rounded alike in both is a matter of chance: so several draws.
fn check(tokens: usize, draws: u64, options: &AttentionOptions) {
    for (seed, size) in (1..=draws).flat_map(|seed| [1e3, 1e5, 1e7].map(|size| (seed, size))) {
        for (row, sum) in sums(tokens, seed, size, options) {
            assert!(
                (sum - 1.0).abs() < 2e-6,
                "the weights of row {row} of {tokens} sum to 1 + {:e} at {size:e}: {options:?}",
                sum - 1.0
            );
        }
    }
}

#[test]
fn weights_sum_to_one_in_the_backward_pass() {
    // One row, few and many behind the last whole tile.
    for (tokens, draws) in [(129, 2), (300, 2), (2177, 5)] {
        check(tokens, draws, &AttentionOptions::default());
    }
}

#[test]
fn weights_sum_to_one_where_keys_are_hidden() {
    let options = AttentionOptions::default();
    for tokens in [129, 300, 2177] {
        for (causal, left, right) in [
            (true, None, None),
            (true, Some(37), None),
            (false, Some(300), Some(2)),
            (false, Some(0), Some(0)),
        ] {
            let options = AttentionOptions {
                causal,
                window_left: left,
                window_right: right,
                ..options.clone()
            };
            check(tokens, 1, &options);
        }
    }
}
