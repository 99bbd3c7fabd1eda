//! Attention never holds the weights of all pairs of tokens, in either pass.

use volatilityforge::burn::tensor::{Device, Distribution, Tensor};
use volatilityforge::nn::ops::{AttentionMask, AttentionOptions, attention};

use super::allocation::peak_of;

#[test]
fn attention_memory_is_linear_in_the_tokens() {
    const TOKENS: usize = 4096;
    const WIDTH: usize = 8;
    let device = Device::flex().autodiff();
    let random = || {
        Tensor::<4>::random(
            [1, 2, TOKENS, WIDTH],
            Distribution::Normal(0.0, 1.0),
            &device,
        )
        .require_grad()
    };
    let (q, k, v) = (random(), random(), random());
    let options = AttentionOptions {
        causal: true,
        dropout: 0.1,
        ..AttentionOptions::default()
    };
    let (gradient, peak) = peak_of(|| {
        let y = attention(
            q.clone(),
            k.clone(),
            v.clone(),
            AttentionMask::none(),
            None,
            &options,
        );
        q.grad(&y.sum().backward()).unwrap()
    });
    assert_eq!(gradient.dims(), [1, 2, TOKENS, WIDTH]);
    let weights_of_one_head = TOKENS * TOKENS * size_of::<f32>();
    assert!(
        peak < weights_of_one_head / 8,
        "{peak} bytes at once; the weights of one head are {weights_of_one_head}"
    );
}
