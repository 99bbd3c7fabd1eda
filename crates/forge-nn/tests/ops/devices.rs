//! Each operation on the devices that `FORGE_TEST_DEVICES` names, in f32, beside its formula there.

use burn::tensor::DType;
use forge_nn::DeviceName;
use forge_testkit::battery;

use super::cases::{self, Case};
use super::evaluation::{assert_within_budget, evaluate};

/// `flex` has its own tests, in f64 too.
fn check(cases: Vec<Case>) {
    for (name, device) in battery::devices() {
        if name == DeviceName::Flex {
            continue;
        }
        for case in &cases {
            let truth = evaluate(&*case.formula, &case.inputs, DType::F64);
            let title = format!("{} on {name}", case.name);
            assert_within_budget(
                &device,
                &title,
                &*case.op,
                &*case.formula,
                &truth,
                &case.inputs,
            );
        }
    }
}

#[test]
fn device_linear() {
    check(cases::linear());
}

#[test]
fn device_norms() {
    check(cases::norms());
}

#[test]
fn device_gated_units() {
    check(cases::gates());
}

#[test]
fn device_softmax() {
    check(cases::softmaxes());
}

#[test]
fn device_residuals() {
    check(cases::residuals());
}

#[test]
fn device_attention() {
    check(cases::attentions());
}

#[test]
fn device_packed_attention() {
    check(cases::packed_attentions());
}
