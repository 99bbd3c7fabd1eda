//! Each operation against its formula, over prime, length-1, non-contiguous, masked and large
//! inputs, in f32 and f64, and against finite differences.

use super::batch_norms;
use super::cases::{self, Case};
use super::channel_affines;
use super::convolutions;
use super::evaluation::{assert_agrees, assert_differentiates};
use super::learning;
use super::parts;
use super::products;
use super::recurrences;

/// Numbers that a case may have: under Miri, which interprets, small ones only.
const MOST: usize = if cfg!(miri) { 60 } else { 3 << 19 };

fn check(mut cases: Vec<Case>) {
    cases.retain(|case| case.inputs.iter().map(Vec::len).sum::<usize>() <= MOST);
    assert!(cases.iter().any(|case| case.smooth));
    for case in cases {
        assert_agrees(&case.name, &*case.op, &*case.formula, &case.inputs);
        if case.smooth && !cfg!(miri) {
            assert_differentiates(&case.name, &*case.op, &case.inputs);
        }
    }
}

#[test]
fn linear() {
    check(cases::linear());
}

/// Blocks of many rows, of which the last is cut, and a weight whose gradient is cut instead.
#[test]
fn linear_of_wide_weights() {
    let sizes = [(7, 5, 3), (2100, 64, 4099), (5, 1_031, 1_033)];
    let plain =
        sizes.map(|(rows, inputs, outputs)| cases::linear_without_bias(rows, inputs, outputs));
    let activated = cases::linear_activated(40, 1_031, 1_033);
    check(plain.into_iter().chain([activated]).collect());
}

#[test]
fn norms() {
    check(cases::norms());
}

#[test]
fn batch_norms() {
    check(batch_norms::batch_norms());
}

#[test]
fn channel_affines() {
    check(channel_affines::channel_affines());
}

#[test]
fn gated_units() {
    check(cases::gates());
}

#[test]
fn softmax() {
    check(cases::softmaxes());
}

#[test]
fn cosines_and_sines() {
    check(cases::waves());
}

#[test]
fn rotations() {
    check(cases::rotations());
}

#[test]
fn dropout_residual_without_dropout() {
    check(cases::residuals());
}

#[test]
fn products_of_activations() {
    check(products::products());
}

#[test]
fn activations() {
    check(products::activations(&[
        (1, 1.0),
        (97, 2.0),
        (97, 30.0),
        (70_001, 2.0),
    ]));
}

#[test]
fn depthwise_convolutions() {
    check(convolutions::depthwise());
}

#[test]
fn causal_convolutions() {
    check(convolutions::causal());
}

#[test]
fn block_diagonals() {
    check(convolutions::block_diagonals());
}

#[test]
fn tensors_in_parts() {
    check(parts::parts());
}

#[test]
fn attention() {
    check(cases::attentions());
}

#[test]
fn packed_attention() {
    check(cases::packed_attentions());
}

#[test]
fn ssd() {
    check(recurrences::ssd());
}

#[test]
fn ssd_in_pieces() {
    check(recurrences::ssd_in_pieces());
}

#[test]
fn selective_scan() {
    check(recurrences::selective_scans());
}

#[test]
fn max_scan() {
    check(recurrences::max_scans());
}

#[test]
fn slstm() {
    check(recurrences::slstms());
}

#[test]
fn test_time_training() {
    check(learning::ttts());
}

#[test]
fn lstm() {
    check(recurrences::lstms());
}
