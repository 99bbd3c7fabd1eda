//! Each operation on the devices that `FORGE_TEST_DEVICES` names, in f32, beside its formula there.

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Tensor};
use forge_nn::DeviceName;
use forge_nn::activation;
use forge_nn::ops::{
    AdamWStep, AttentionOps, AttentionParams, OptionalBool, OptionalFloat, PackedHeads, adamw_step,
};
use forge_testkit::battery;

use super::awkward::{attention as awkward_attention, constant_rows};
use super::batch_norms;
use super::cases::{self, Case};
use super::channel_affines;
use super::convolutions;
use super::evaluation::{
    assert_within_budget, evaluate, evaluate_on, relative_error, tensor, values,
};
use super::learning;
use super::parts;
use super::products;
use super::recurrences;

/// `flex` has its own tests, in f64 too.
fn check(cases: Vec<Case>) {
    check_beside(cases, |_, device| device.clone(), |_| 1);
}

/// Burn's `cpu` backend compiles every kernel for every shape and keeps none, minutes for what takes
/// seconds elsewhere: there, every third case, unless `FORGE_TEST_ALL_CASES` is set.
fn fewer(name: DeviceName) -> usize {
    match name {
        DeviceName::Cpu if std::env::var_os("FORGE_TEST_ALL_CASES").is_none() => 3,
        _ => 1,
    }
}

/// Cases that are every shape in every view and kind: where they are [`fewer`], each of them is met all
/// the same, since three divides no number of views or kinds.
fn check_grid(cases: Vec<Case>) {
    check_beside(cases, |_, device| device.clone(), fewer);
}

/// Where the formula runs: Burn's products on its `cpu` backend wait for all threads at every step, and
/// each of many small operations is compiled there, which takes minutes per case.
fn flex_for_cpu(name: DeviceName, device: &Device) -> Device {
    match name {
        DeviceName::Cpu => Device::flex(),
        _ => device.clone(),
    }
}

fn check_beside_flex(cases: Vec<Case>) {
    check_beside(cases, flex_for_cpu, fewer);
}

fn check_beside(
    cases: Vec<Case>,
    beside: fn(DeviceName, &Device) -> Device,
    step: fn(DeviceName) -> usize,
) {
    for (name, device) in battery::devices() {
        if name == DeviceName::Flex {
            continue;
        }
        let naive = beside(name, &device);
        for case in cases.iter().step_by(step(name)) {
            let truth = evaluate(&*case.formula, &case.inputs, DType::F64);
            let title = format!("{} on {name}", case.name);
            assert_within_budget(
                [&device, &naive],
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
    check_beside_flex(cases::linear());
}

/// In f64 where products of f32 round their factors, as the formula, which has none, does not.
fn check_unrounded(cases: Vec<Case>) {
    for (name, device) in battery::devices() {
        if name == DeviceName::Flex {
            continue;
        }
        if !battery::rounds_factors(&device) {
            return check_beside_flex(cases);
        }
        for case in &cases {
            let truth = evaluate(&*case.formula, &case.inputs, DType::F64);
            let ours = evaluate_on(&device, &*case.op, &case.inputs, DType::F64);
            let error = relative_error(&ours.output, &truth.output);
            assert!(error < 1e-11, "{} on {name}: off by {error:e}", case.name);
            for (ours, truth) in ours.gradients.iter().zip(&truth.gradients) {
                let error = relative_error(ours, truth);
                assert!(
                    error < 1e-10,
                    "{} on {name}: gradient off by {error:e}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn device_recurrences() {
    // Few shapes, since devices compile kernels for each: with and without skip, one chunk and more.
    check_unrounded(recurrences::ssd().into_iter().step_by(3).collect());
    check_beside_flex(recurrences::selective_scans());
    check_beside_flex(recurrences::max_scans());
    check_beside_flex(recurrences::slstms());
    check_beside_flex(recurrences::lstms());
}

#[test]
fn device_test_time_training() {
    // Hundreds of small operations: software Vulkan compiles them for minutes as well.
    check_beside(learning::ttts(), |_, _| Device::flex(), |_| 3);
}

#[test]
fn device_norms() {
    check_grid(cases::norms());
}

#[test]
fn device_batch_norms() {
    // Few shapes, since devices compile kernels for each; the last one's rows are summed in pieces.
    let norms = batch_norms::batch_norms().into_iter().rev();
    check_beside_flex(norms.step_by(6).collect());
    let affines = channel_affines::channel_affines().into_iter();
    check_beside_flex(affines.step_by(11).collect());
}

#[test]
fn device_gated_units() {
    check_grid(cases::gates());
}

#[test]
fn device_activations_on_their_own() {
    check(products::activations(&[(97, 2.0)]));
}

#[test]
fn device_softmax() {
    check_grid(cases::softmaxes());
}

#[test]
fn device_cosines_and_sines() {
    check_grid(cases::waves());
}

#[test]
fn device_rotations() {
    check_grid(cases::rotations());
}

#[test]
fn device_causal_convolutions_and_parts() {
    check_beside_flex(convolutions::causal());
    check_beside_flex(convolutions::block_diagonals());
    check_beside_flex(parts::parts());
}

#[test]
fn device_residuals() {
    check_grid(cases::residuals());
}

#[test]
fn device_attention() {
    check_beside_flex(cases::attentions());
}

#[test]
fn device_packed_attention() {
    check_beside_flex(cases::packed_attentions());
}

/// The programs in the other types that a device has, computing in f32 or f64.
#[test]
#[allow(clippy::print_stderr)] // what is skipped is said
fn device_types() {
    for (name, device) in battery::devices() {
        for (dtype, output, gradient) in [
            (DType::F64, 1e-11, 1e-11),
            (DType::F16, 2e-3, 1e-2),
            (DType::BF16, 2e-2, 8e-2),
        ] {
            if name == DeviceName::Flex || !forge_nn::computes_in(&device, dtype) {
                eprintln!("{name} does not compute in {dtype:?}");
                continue;
            }
            let attentions = cases::attentions().into_iter().skip(1).take(3);
            // Many small operations, whose roundings add up in a half.
            let recurrent = recurrences::lstms().into_iter();
            let some = attentions
                .chain(cases::norms().into_iter().take(4))
                // Each kind, of one tensor and of two.
                .chain(cases::gates().into_iter().take(8))
                .chain(recurrent.take(usize::from(dtype == DType::F64)));
            for case in some {
                if dtype == DType::F64 && case.name.starts_with("Gelu") {
                    // CubeCL's erf is good to 1e-7 in every type.
                    continue;
                }
                let truth = evaluate(&*case.formula, &case.inputs, DType::F64);
                let ours = evaluate_on(&device, &*case.op, &case.inputs, dtype);
                let error = relative_error(&ours.output, &truth.output);
                assert!(
                    error < output,
                    "{} on {name} in {dtype:?}: output is off by {error:e}",
                    case.name
                );
                for (ours, truth) in ours.gradients.iter().zip(&truth.gradients) {
                    let error = relative_error(ours, truth);
                    assert!(
                        error < gradient,
                        "{} on {name} in {dtype:?}: gradient is off by {error:e}",
                        case.name
                    );
                }
            }
        }
    }
}

/// With the same seed, drawn by the device or given, every device drops the same weights in both
/// passes.
#[test]
fn device_attention_dropout() {
    const PARAMS: AttentionParams = AttentionParams {
        scale: 0.4,
        causal: true,
        window_left: None,
        window_right: None,
        softcap: None,
        dropout: 0.3,
        seed: 0,
    };
    let drawn = |device: &Device| {
        let parts = tensor(&[40_000.5, 1.0, 65_535.0, 7.25], DType::F32, device);
        OptionalFloat::Present(parts.into_dispatch())
    };
    let given = AttentionParams {
        seed: 0x0123_4567_89AB_CDEF,
        ..PARAMS
    };
    let plain = |t: Vec<Tensor<1>>| {
        let x = t[0].clone().reshape([2, 3, 37, 5]);
        let device = x.device().inner();
        let x = x.into_dispatch();
        let y = Dispatch::fused_attention(
            x.clone(),
            x.clone(),
            x,
            OptionalFloat::Absent,
            OptionalBool::Absent,
            drawn(&device),
            PARAMS,
        );
        Tensor::<4>::from_dispatch(y).flatten(0, 3)
    };
    let packed = |t: Vec<Tensor<1>>| {
        let x = t[0].clone().reshape([2, 37, 15]);
        let y = Dispatch::fused_packed_attention(
            x.into_dispatch(),
            OptionalBool::Absent,
            OptionalFloat::Absent,
            PackedHeads::equal(1),
            given,
        );
        Tensor::<3>::from_dispatch(y).flatten(0, 2)
    };
    let inputs = [values(21, 2 * 3 * 37 * 5)];
    for (name, device) in battery::devices() {
        for (op, title) in [
            (&plain as super::evaluation::Function<'_>, "attention"),
            (&packed, "packed attention"),
        ] {
            let truth = evaluate(op, &inputs, DType::F64);
            let ours = evaluate_on(&device, op, &inputs, DType::F32);
            let error = relative_error(&ours.output, &truth.output);
            assert!(
                error < 1e-5,
                "{title} on {name}: output is off by {error:e}"
            );
            let error = relative_error(&ours.gradients[0], &truth.gradients[0]);
            assert!(
                error < 1e-4,
                "{title} on {name}: gradient is off by {error:e}"
            );
        }
    }
}

/// Three steps of AdamW, also of lengths that no vector divides, in what the device has.
#[test]
fn device_adamw() {
    let run = |device: &Device, dtype: DType, length: usize| {
        let value = |seed| tensor(&values(seed, length), dtype, device);
        let (mut p, mut m, mut v) = (value(1), value(2).mul_scalar(0.0), value(2).mul_scalar(0.0));
        for time in 1..=3 {
            let step = AdamWStep {
                learning_rate: 0.1,
                beta_1: 0.9,
                beta_2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.3,
                time,
            };
            (p, m, v) = adamw_step(p, value(2 + time as u64), m, v, &step);
        }
        [p, m, v].map(|x| x.into_data().iter::<f64>().collect::<Vec<_>>())
    };
    for device in others() {
        for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F64, 1e-13), (DType::BF16, 3e-2)] {
            if !forge_nn::computes_in(&device, dtype) {
                continue;
            }
            for length in [1, 7, 64, 10_007] {
                let ours = run(&device, dtype, length);
                let truth = run(&Device::flex(), DType::F64, length);
                for (ours, truth) in ours.iter().zip(&truth) {
                    let error = relative_error(ours, truth);
                    assert!(error < tolerance, "{dtype:?} of {length}: off by {error:e}");
                }
            }
        }
    }
}

/// The gradients of a linear layer over so many rows that a GPU cuts them.
#[test]
fn device_linear_of_many_rows() {
    let linear = |t: Vec<Tensor<1>>| {
        let x = t[0].clone().reshape([4096, 5]);
        forge_nn::ops::linear(x, t[1].clone().reshape([5, 3]), Some(t[2].clone())).flatten(0, 1)
    };
    let inputs = [values(1, 4096 * 5), values(2, 15), values(3, 3)];
    let truth = evaluate(&linear, &inputs, DType::F64);
    for device in others() {
        let ours = evaluate_on(&device, &linear, &inputs, DType::F32);
        for (ours, truth) in ours.gradients.iter().zip(&truth.gradients) {
            // Products of f32 may round their factors to TF32.
            let error = relative_error(ours, truth);
            assert!(error < 2e-3, "off by {error:e}");
        }
    }
}

/// The devices that are tested beside flex, which has these tests as its own.
pub(super) fn others() -> impl Iterator<Item = Device> {
    let others = battery::devices().into_iter();
    let others = others.filter(|(name, _)| *name != DeviceName::Flex);
    others.map(|(_, device)| device)
}

/// What is not finite, scores of any size and rows without spread, on each device.
#[test]
fn device_attention_of_what_is_not_finite() {
    for device in others() {
        awkward_attention::assert_spoilt_on(&device);
        awkward_attention::assert_overflow_on(&device);
        awkward_attention::assert_low_scores_on(&device);
    }
}

#[test]
fn device_norms_of_equal_elements() {
    for device in others() {
        batch_norms::assert_bias_on(&device, &[DType::F32]);
        constant_rows::assert_bias_on(&device, &[DType::F32]);
    }
}

/// What is re-exported of Burn's activations, and our own GELU, in value and gradient.
#[test]
fn device_activations() {
    type Activation = fn(Tensor<1>) -> Tensor<1>;
    let all: [(&str, Activation); 9] = [
        ("elu", |x| activation::elu(x)),
        ("gelu", activation::gelu),
        ("leaky_relu", |x| activation::leaky_relu(x, 0.01)),
        ("mish", activation::mish),
        ("relu", activation::relu),
        ("sigmoid", activation::sigmoid),
        ("silu", activation::silu),
        ("softplus", |x| activation::softplus(x)),
        ("tanh", activation::tanh),
    ];
    let inputs = [values(1, 97).into_iter().map(|x| 5.0 * x).collect()];
    for (name, f) in all {
        let run = |t: Vec<Tensor<1>>| f(t[0].clone());
        let truth = evaluate(&run, &inputs, DType::F64);
        for device in others() {
            let ours = evaluate_on(&device, &run, &inputs, DType::F32);
            let error = relative_error(&ours.output, &truth.output);
            assert!(error < 1e-5, "{name}: off by {error:e}");
            let error = relative_error(&ours.gradients[0], &truth.gradients[0]);
            assert!(error < 1e-5, "{name}: gradient off by {error:e}");
        }
    }
}
