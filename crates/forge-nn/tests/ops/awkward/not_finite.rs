//! NaN and infinities in every input of every operation: what comes out is NaN or infinite where
//! the formula in f64 is, and a number elsewhere.

use burn::tensor::DType;

use crate::ops::batch_norms;
use crate::ops::cases::{self, Case};
use crate::ops::channel_affines;
use crate::ops::convolutions;
use crate::ops::evaluation::evaluate;

const BAD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn agree(got: f64, want: f64, scale: f64, tolerance: f64) -> bool {
    if want.is_finite() {
        (got - want).abs() <= tolerance * scale
    } else {
        got == want || (got.is_nan() && want.is_nan())
    }
}

fn check(cases: Vec<Case>) {
    let small = |case: &Case| case.inputs.iter().map(Vec::len).sum::<usize>() < 700;
    let cases: Vec<Case> = cases.into_iter().filter(small).collect();
    assert!(!cases.is_empty());
    let mut spoilt = 0;
    for case in cases {
        for (which, bad) in (0..case.inputs.len()).flat_map(|i| BAD.map(|bad| (i, bad))) {
            let len = case.inputs[which].len();
            for place in [0, len / 2, len - 1] {
                let mut inputs = case.inputs.clone();
                inputs[which][place] = bad;
                let truth = evaluate(&*case.formula, &inputs, DType::F64);
                spoilt += truth.output.iter().filter(|y| !y.is_finite()).count();
                let sizes = truth.output.iter().filter(|y| y.is_finite());
                let scale = sizes.fold(1.0f64, |max, y| max.max(y.abs()));
                for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 1e-4)] {
                    let ours = evaluate(&*case.op, &inputs, dtype);
                    let name = format!("{} with {bad} at {place} of {which}", case.name);
                    for (i, (&y, &want)) in ours.output.iter().zip(&truth.output).enumerate() {
                        assert!(
                            agree(y, want, scale, tolerance),
                            "{name}: {y} for {want} at {i} in {dtype:?}"
                        );
                    }
                    if bad.is_nan() {
                        assert_nan_gradients(&name, &ours.gradients, &truth.gradients);
                    }
                }
            }
        }
    }
    assert!(spoilt > 100, "the inputs spoil nothing");
}

/// Where the formula's gradient is NaN, ours is no number.
fn assert_nan_gradients(name: &str, ours: &[Vec<f64>], truth: &[Vec<f64>]) {
    for (ours, truth) in ours.iter().zip(truth) {
        for (i, (dx, want)) in ours.iter().zip(truth).enumerate() {
            assert!(
                dx.is_nan() || !want.is_nan(),
                "{name}: gradient {dx} for {want} at {i}"
            );
        }
    }
}

#[test]
fn linear_passes_what_is_not_finite() {
    check(cases::linear());
}

#[test]
fn norms_pass_what_is_not_finite() {
    check(cases::norms());
}

#[test]
fn batch_norms_pass_what_is_not_finite() {
    check(batch_norms::batch_norms());
    check(channel_affines::channel_affines());
}

#[test]
fn gated_units_pass_what_is_not_finite() {
    check(cases::gates());
}

#[test]
fn depthwise_convolutions_pass_what_is_not_finite() {
    check(convolutions::depthwise());
}

#[test]
fn causal_convolutions_pass_what_is_not_finite() {
    check(convolutions::causal());
}

#[test]
fn block_diagonal_products_pass_what_is_not_finite() {
    check(convolutions::block_diagonals());
}

#[test]
fn softmax_passes_what_is_not_finite() {
    check(cases::softmaxes());
}

#[test]
fn cosines_and_sines_pass_what_is_not_finite() {
    check(cases::waves());
}

#[test]
fn residuals_pass_what_is_not_finite() {
    check(cases::residuals());
}
