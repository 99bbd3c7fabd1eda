//! NaN, infinities and scores of any size through attention, beside plain loops.

use burn::tensor::{DType, Device};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, attention_with_weights};

use crate::ops::cases::AttentionCase;
use crate::ops::evaluation::{Evaluation, evaluate, evaluate_on, values};

const BAD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Without and with what hides keys, in one tile and in several of either.
pub(crate) fn cases() -> Vec<AttentionCase> {
    let plain = AttentionCase::plain;
    let options = AttentionOptions::default();
    let window = AttentionOptions {
        window_left: Some(2),
        window_right: Some(1),
        ..options.clone()
    };
    let causal = AttentionOptions {
        causal: true,
        ..options.clone()
    };
    vec![
        plain(1, 1, 1, 1, 1),
        plain(2, 2, 5, 7, 3),
        plain(1, 1, 3, 523, 2),
        plain(1, 1, 261, 5, 2),
        AttentionCase {
            groups: 1,
            mask: 1,
            swapped: true,
            ..plain(2, 2, 5, 7, 3)
        },
        AttentionCase {
            mask: 3,
            bias: true,
            ..plain(2, 2, 5, 7, 3)
        },
        AttentionCase {
            mask: 2,
            ..plain(1, 1, 3, 300, 2)
        },
        AttentionCase {
            options: causal.clone(),
            ..plain(1, 2, 5, 7, 3)
        },
        AttentionCase {
            options: causal.clone(),
            ..plain(1, 1, 7, 5, 3)
        },
        AttentionCase {
            options: causal,
            bias: true,
            ..plain(1, 1, 140, 290, 2)
        },
        AttentionCase {
            mask: 1,
            options: window.clone(),
            ..plain(2, 1, 9, 9, 3)
        },
        AttentionCase {
            options: AttentionOptions {
                softcap: Some(1.5),
                ..window
            },
            ..plain(1, 1, 263, 263, 2)
        },
    ]
}

fn inputs_of(case: &AttentionCase) -> Vec<Vec<f64>> {
    case.clone().into_case().inputs
}

fn run(case: &AttentionCase, inputs: &[Vec<f64>], dtype: DType) -> Evaluation {
    run_on(&Device::flex(), case, inputs, dtype)
}

fn run_on(device: &Device, case: &AttentionCase, inputs: &[Vec<f64>], dtype: DType) -> Evaluation {
    evaluate_on(device, &*case.clone().into_case().op, inputs, dtype)
}

/// The same with the weights stored, by the reference.
fn run_reference(case: &AttentionCase, inputs: &[Vec<f64>], dtype: DType) -> Evaluation {
    let op = |t: Vec<burn::tensor::Tensor<1>>| {
        let (q, k, v, bias) = case.tensors(&t);
        let mask = case.masks(&q.device());
        attention_with_weights(q, k, v, mask, bias, &case.options)
            .0
            .flatten(0, 3)
    };
    evaluate(&op, inputs, dtype)
}

fn is_nan_row(truth: &[f64], row: usize, width: usize) -> bool {
    truth[row * width..][..width].iter().all(|y| y.is_nan())
}

/// Rows that are NaN in the plain loops are NaN, the others are numbers and right; and all that a NaN
/// row depends on has NaN for a gradient.
fn assert_spoilt_alike(
    name: &str,
    case: &AttentionCase,
    ours: &Evaluation,
    truth: &[f64],
    tolerance: f64,
) {
    for (i, (&y, &want)) in ours.output.iter().zip(truth).enumerate() {
        let right = if want.is_nan() {
            y.is_nan()
        } else {
            (y - want).abs() <= tolerance
        };
        assert!(right, "{name}: {y} for {want} at {i}");
    }
    let (qs, ks, vs) = (case.query_places(), case.key_places(), case.value_places());
    let assert_nan = |input: usize, at: usize, width: usize| {
        let row = &ours.gradients[input][at..][..width];
        assert!(
            row.iter().all(|dx| dx.is_nan()),
            "{name}: gradient {row:?} of input {input} at {at}"
        );
    };
    for (b, h) in (0..case.batch).flat_map(|b| (0..case.heads).map(move |h| (b, h))) {
        let group = h * case.groups / case.heads;
        for i in 0..case.queries {
            let row = (b * case.heads + h) * case.queries + i;
            if !is_nan_row(truth, row, case.value_width) {
                continue;
            }
            assert_nan(0, qs.at(b, h, i), case.width);
            for j in (0..case.keys).filter(|&j| case.visible(b, h, i, j)) {
                assert_nan(1, ks.at(b, group, j), case.width);
                assert_nan(2, vs.at(b, group, j), case.value_width);
            }
        }
    }
}

/// Every form of a call once, in one tile and in several: what the script for Miri runs, which
/// interprets and so takes the small ones.
#[test]
fn plain_loops_agree() {
    for case in cases() {
        let inputs = inputs_of(&case);
        if cfg!(miri) && inputs.iter().map(Vec::len).sum::<usize>() > 300 {
            continue;
        }
        let truth = case.plain_output(&inputs);
        let ours = run(&case, &inputs, DType::F32);
        for (&y, &want) in ours.output.iter().zip(&truth) {
            assert!((y - want).abs() < 1e-4, "{y} for {want} in {case:?}");
        }
        let finite = |dx: &f64| dx.is_finite();
        assert!(ours.gradients.iter().flatten().all(finite), "{case:?}");
    }
}

/// Calls `check` with each case, inputs of which one number of queries or keys is not finite, and what
/// the plain loops make of them.
fn for_spoilt(mut check: impl FnMut(&str, &AttentionCase, &[Vec<f64>], &[f64])) {
    let mut spoilt = 0;
    for case in cases() {
        let inputs = inputs_of(&case);
        for (which, bad) in [0, 1].into_iter().flat_map(|i| BAD.map(|bad| (i, bad))) {
            let len = inputs[which].len();
            for place in [0, len / 3, len - 1] {
                let mut inputs = inputs.clone();
                inputs[which][place] = bad;
                let truth = case.plain_output(&inputs);
                spoilt += truth.iter().filter(|y| y.is_nan()).count();
                let name = format!("{bad} at {place} of {which}: {case:?}");
                check(&name, &case, &inputs, &truth);
            }
        }
    }
    assert!(spoilt > 1000, "{spoilt}");
}

/// For the tests of other devices.
pub(crate) fn assert_spoilt_on(device: &Device) {
    for_spoilt(|name, case, inputs, truth| {
        let ours = run_on(device, case, inputs, DType::F32);
        assert_spoilt_alike(name, case, &ours, truth, 1e-4);
    });
}

#[test]
fn a_query_or_key_that_is_not_finite_spoils_the_rows_that_see_it() {
    for_spoilt(|name, case, inputs, truth| {
        for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 1e-4)] {
            let ours = run(case, inputs, dtype);
            assert_spoilt_alike(name, case, &ours, truth, tolerance);
            let reference = run_reference(case, inputs, dtype);
            for (&y, &want) in reference.output.iter().zip(truth) {
                let right = y.is_nan() == want.is_nan();
                assert!(right, "reference in {dtype:?}, {name}: {y} for {want}");
            }
        }
    });
}

#[test]
fn a_value_that_is_not_finite_spoils_its_feature() {
    for case in cases().into_iter().filter(|case| case.mask == 0) {
        let inputs = inputs_of(&case);
        for bad in BAD {
            let mut inputs = inputs.clone();
            let place = inputs[2].len() / 2;
            inputs[2][place] = bad;
            let truth = case.plain_output(&inputs);
            assert!(truth.iter().any(|y| !y.is_finite()));
            for dtype in [DType::F64, DType::F32] {
                let ours = run(&case, &inputs, dtype);
                for (&y, want) in ours.output.iter().zip(&truth) {
                    assert!(
                        want.is_finite() || !y.is_finite(),
                        "{bad} in {dtype:?}: {y} for {want} in {case:?}"
                    );
                }
            }
        }
    }
}

/// Scores that leave f32, upwards or downwards: the formula in f32 gives NaN, since ∞ - ∞ is none.
#[test]
fn scores_that_overflow_are_nan() {
    assert_overflow_on(&Device::flex());
}

pub(crate) fn assert_overflow_on(device: &Device) {
    for case in cases() {
        if case.options.softcap.is_some() {
            continue;
        }
        for sign in [1.0, -1.0] {
            let mut inputs = inputs_of(&case);
            inputs[0].fill(1e30);
            inputs[1].fill(sign * 1e30);
            let infinite: Vec<Vec<f64>> = {
                let mut inputs = inputs.clone();
                inputs[1].fill(sign * f64::INFINITY);
                inputs
            };
            let truth = case.plain_output(&infinite);
            let ours = run_on(device, &case, &inputs, DType::F32);
            let name = format!("{sign}e60 in {case:?}");
            assert_spoilt_alike(&name, &case, &ours, &truth, 0.0);
        }
    }
}

/// A bias of -∞ hides a key; one that hides all of a row's leaves no weights that sum to 1.
#[test]
fn a_bias_of_minus_infinity_hides() {
    for case in cases().into_iter().filter(|case| case.bias) {
        let mut inputs = inputs_of(&case);
        for (i, bias) in inputs[3].iter_mut().enumerate() {
            let (row, key) = (i / case.keys, i % case.keys);
            if row % 3 == 1 || key % 2 == 1 {
                *bias = f64::NEG_INFINITY;
            }
        }
        let truth = case.plain_output(&inputs);
        assert!(truth.iter().any(|y| y.is_nan()) && truth.iter().any(|&y| y != 0.0));
        for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 1e-4)] {
            let ours = run(&case, &inputs, dtype);
            for (&y, &want) in ours.output.iter().zip(&truth) {
                let right = if want.is_nan() {
                    y.is_nan()
                } else {
                    (y - want).abs() <= tolerance
                };
                assert!(right, "{y} for {want} in {dtype:?} in {case:?}");
            }
        }
    }
}

/// Scores far below 0 are scores like others.
#[test]
fn no_visible_score_is_too_low() {
    assert_low_scores_on(&Device::flex());
}

pub(crate) fn assert_low_scores_on(device: &Device) {
    for case in cases() {
        if case.options.softcap.is_some() {
            continue;
        }
        // Powers of two, so that the products are exact.
        for size in [2f64.powi(50), 2f64.powi(62)] {
            let mut inputs = inputs_of(&case);
            // The same score for all keys, of -1e30 and of -3e37.
            inputs[0].fill(size);
            inputs[1].fill(-size);
            let truth = case.plain_output(&inputs);
            let ours = run_on(device, &case, &inputs, DType::F32);
            for (&y, &want) in ours.output.iter().zip(&truth) {
                assert!((y - want).abs() < 1e-4, "{y} for {want} in {case:?}");
            }
            let reference = run_reference(&case, &inputs, DType::F32);
            for (&y, &want) in reference.output.iter().zip(&truth) {
                assert!((y - want).abs() < 1e-4, "{y} for {want} in {case:?}");
            }
        }
    }
}

/// What the padding of keys holds reaches nobody.
#[test]
fn hidden_keys_may_be_nan() {
    let case = AttentionCase {
        mask: 1,
        ..AttentionCase::plain(2, 1, 5, 7, 3)
    };
    let inputs = inputs_of(&case);
    let truth = run(&case, &inputs, DType::F32).output;
    let mut spoilt = inputs;
    for (b, j) in (0..2).flat_map(|b| (0..7).map(move |j| (b, j))) {
        if !case.visible(b, 0, 0, j) {
            let at = case.key_places().at(b, 0, j);
            spoilt[1][at..at + 3].fill(f64::NAN);
        }
    }
    assert_eq!(run(&case, &spoilt, DType::F32).output, truth);
}

/// A NaN weight of a projection, as damage or an overflow in training leaves it.
#[test]
fn one_nan_among_the_weights_is_seen() {
    let device = Device::flex();
    let mut weight = values(1, 64);
    weight[17] = f64::NAN;
    let x = crate::ops::evaluation::tensor(&values(2, 40), DType::F32, &device);
    let weight = crate::ops::evaluation::tensor(&weight, DType::F32, &device);
    let x = x.reshape([1, 5, 8]);
    let q = forge_nn::ops::linear(x.clone(), weight.reshape([8, 8]), None);
    let [q, x] = [q, x].map(|x| x.reshape([1, 1, 5, 8]));
    let options = AttentionOptions::default();
    let y = attention(q, x.clone(), x, AttentionMask::none(), None, &options);
    assert!(y.into_data().iter::<f64>().all(f64::is_nan));
}
