//! f32 beside f64 where rounding could pile up or a number overflow: 16,384 tokens, gates of ±1000.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::attention::{LinearAttentionState, linear_attention_causal};
use forge_nn::ops::{self, AdamWStep, AttentionMask, AttentionOptions, adamw_step};

use super::cases::{part, scaled};
use super::evaluation::{Function, evaluate, relative_error, values};
use super::recurrences::decays;

const LONG: usize = 16_384;

/// Outputs and gradients in f32 are those in f64 within `tolerance` of the largest; all finite.
fn assert_exact(name: &str, inputs: &[Vec<f64>], tolerance: f64, function: Function<'_>) {
    let [got, want] = [DType::F32, DType::F64].map(|dtype| evaluate(function, inputs, dtype));
    let gradients = got.gradients.iter().zip(&want.gradients);
    let parts = gradients.enumerate();
    let parts = parts.map(|(i, (got, want))| (format!("gradient {i}"), got, want));
    let output = ("output".to_string(), &got.output, &want.output);
    for (part, got, want) in std::iter::once(output).chain(parts) {
        let error = relative_error(got, want);
        assert!(error < tolerance, "{name}: {part} is off by {error:e}");
    }
}

#[test]
fn a_long_ssd_is_exact_in_f32() {
    let (p, n) = (3, 5);
    let widths = [p, 1, n, n, 1];
    let inputs: Vec<_> = (1..)
        .zip(widths)
        .map(|(seed, width)| values(seed, LONG * width))
        .collect();
    assert_exact("ssd", &inputs, 1e-4, &|t| {
        let heads = |i: usize, width| part(&t, i).reshape([1, 1, LONG, width]);
        // From almost none on.
        let log_decay = decays(part(&t, 1).reshape([1, 1, LONG]), 0.05);
        let gain = part(&t, 4).reshape([1, 1, LONG]);
        let (b, c) = (heads(2, n), heads(3, n));
        ops::ssd(heads(0, p), gain, log_decay, b, c, None).flatten(0, 3)
    });
}

#[test]
fn a_long_selective_scan_is_exact_in_f32() {
    let (width, n) = (3, 5);
    let lengths = [LONG * width, LONG * width, width * n, LONG * n, LONG * n];
    let inputs: Vec<_> = (5..)
        .zip(lengths)
        .map(|(seed, length)| values(seed, length))
        .collect();
    assert_exact("selective scan", &inputs, 1e-4, &|t| {
        let tokens = |i: usize, width| part(&t, i).reshape([1, LONG, width]);
        let step: Tensor<3> = tokens(1, width);
        let a = decays(part(&t, 2).reshape([width, n]), 0.1);
        let step = step.clone() * step;
        let y = ops::selective_scan(tokens(0, width), step, a, tokens(3, n), tokens(4, n), None);
        y.flatten(0, 2)
    });
}

fn slstm(time: usize, d: usize) -> impl Fn(Vec<Tensor<1>>) -> Tensor<1> {
    move |t| {
        let gates = part(&t, 0).reshape([1, 1, time, 4 * d]);
        let recurrent = part(&t, 1).reshape([1, d, 4 * d]);
        let start = ops::slstm_start(1, 1, d, (&gates.device(), gates.dtype()));
        ops::slstm(gates, recurrent, start)
            .narrow(2, 0, time)
            .flatten(0, 3)
    }
}

#[test]
fn a_long_slstm_is_exact_in_f32() {
    let d = 3;
    let inputs = [scaled(1, LONG * 4 * d, 3.0), values(2, 4 * d * d)];
    assert_exact("slstm", &inputs, 1e-4, &slstm(LONG, d));
}

/// Neither overflows, and what they give are the numbers: 1000 has a rounding of 6e-5 in f32, which the
/// exponential turns into a relative one.
#[test]
fn gates_of_a_thousand_are_exact_in_f32() {
    let (time, d) = (67, 3);
    let inputs = [scaled(1, time * 4 * d, 1e3), values(2, 4 * d * d)];
    assert_exact("slstm", &inputs, 1e-3, &slstm(time, d));
    let inputs = [
        scaled(3, time, 1e3),
        scaled(4, time, 1e3),
        values(5, time * d),
        values(6, time * d),
    ];
    // The stabilised memory of mLSTM.
    assert_exact("max scan and ssd", &inputs, 1e-3, &|t| {
        let row = |i: usize| part(&t, i).reshape([1, 1, time]);
        let (forget, input) = (-row(0).abs(), row(1));
        let m = ops::stop_gradient(ops::max_scan(forget.clone(), input.clone()));
        let before = m.clone().narrow(2, 0, time - 1);
        let before = Tensor::cat(vec![m.clone().narrow(2, 0, 1), before], 2);
        let weight = (input - m.clone()).exp();
        let [k, v] = [2, 3].map(|i| part(&t, i).reshape([1, 1, time, d]));
        ops::ssd(v, weight, forget + before - m, k.clone(), k, None).flatten(0, 3)
    });
}

#[test]
fn long_causal_linear_attention_is_exact_in_f32() {
    let d = 3;
    let inputs = [1, 2, 3].map(|seed| values(seed, LONG * d));
    assert_exact("linear attention", &inputs, 1e-4, &|t| {
        let [q, k, v] = [0, 1, 2].map(|i| part(&t, i).reshape([1, 1, LONG, d]));
        let mut state = LinearAttentionState::new();
        linear_attention_causal(q, k, v, None, 1e-6, &mut state).flatten(0, 3)
    });
}

#[test]
fn a_long_sliding_window_is_exact_in_f32() {
    let d = 3;
    let inputs = [1, 2, 3].map(|seed| scaled(seed, LONG * d, 4.0));
    assert_exact("sliding window", &inputs, 1e-4, &|t| {
        let [q, k, v] = [0, 1, 2].map(|i| part(&t, i).reshape([1, 1, LONG, d]));
        let options = AttentionOptions {
            causal: true,
            window_left: Some(31),
            ..AttentionOptions::default()
        };
        ops::attention(q, k, v, AttentionMask::none(), None, &options).flatten(0, 3)
    });
}

/// Where gradients have become 0, moments end at 0 and not among the subnormal numbers, which some
/// processors compute with a hundred times as slowly.
#[test]
fn moments_without_gradients_end_at_zero() {
    let device = Device::flex();
    let width = 37;
    let full = |value: f64| Tensor::<1>::full([width], value, (&device, DType::F32));
    let (mut p, mut m, mut v) = (full(1.0), full(-1e-3), full(1e-6));
    for time in 1..=1_200 {
        let step = AdamWStep {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.9,
            epsilon: 1e-8,
            weight_decay: 0.0,
            time,
        };
        (p, m, v) = adamw_step(p, full(0.0), m, v, &step);
    }
    for moment in [m, v] {
        assert!(moment.into_data().iter::<f32>().all(|x| x == 0.0));
    }
    assert!(p.into_data().iter::<f32>().all(|x| x > 1.0));
}
