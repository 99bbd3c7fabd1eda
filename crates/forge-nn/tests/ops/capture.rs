//! On the device that records graphs every operation leaves Burn's own operations and no custom
//! one but the mark of `stop_gradient`: exporters know nothing else.

use burn::backend::Capture;
use burn::tensor::{DType, Device, Tensor};
use burn_ir::{FloatOperationIr, OperationIr};
use forge_nn::norm::RevInConfig;
use forge_nn::ops::{AdamWStep, STOP_GRADIENT, adamw_step, stop_gradient};
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{Mode, ModuleConfig, set_mode};

use super::batch_norms;
use super::cases::{self, Case};
use super::channel_affines;
use super::convolutions;
use super::evaluation::{tensor, values};
use super::learning;
use super::parts;
use super::recurrences;

/// Records `function` of `inputs`; what is left in the graph.
fn operations(
    inputs: &[Vec<f64>],
    function: impl Fn(Vec<Tensor<1>>) -> Vec<Tensor<1>>,
) -> Vec<OperationIr> {
    let device = Device::capture();
    let id = |tensor: &Tensor<1>| {
        let primitive = tensor.clone().try_into_primitive::<Capture>().unwrap();
        primitive.id()
    };
    let captured = device.capture_scope(|scope| {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|values| tensor(values, DType::F32, &Device::flex()).to_device(&device))
            .collect();
        let outputs = function(inputs.clone());
        scope.complete(
            inputs.iter().map(id).collect::<Vec<_>>(),
            outputs.iter().map(id).collect::<Vec<_>>(),
        )
    });
    captured.unwrap().graph.operations
}

fn assert_decomposed(name: &str, operations: &[OperationIr]) {
    let custom = operations
        .iter()
        .find(|operation| matches!(operation, OperationIr::Custom(_)));
    assert!(custom.is_none(), "{name} leaves {custom:?}");
    assert!(!operations.is_empty(), "{name} leaves nothing");
}

fn check(cases: Vec<Case>) {
    for case in cases {
        let operations = operations(&case.inputs, |inputs| vec![(case.op)(inputs)]);
        assert_decomposed(&case.name, &operations);
    }
}

#[test]
fn capture_decomposes_linear() {
    check(cases::linear());
}

#[test]
fn capture_decomposes_convolutions() {
    check(convolutions::depthwise());
    check(convolutions::causal());
    check(parts::parts());
}

#[test]
fn capture_decomposes_recurrences() {
    check(recurrences::ssd());
    check(recurrences::selective_scans());
    check(recurrences::max_scans());
    check(recurrences::slstms());
    check(recurrences::lstms());
    check(learning::ttts());
}

#[test]
fn capture_decomposes_norms() {
    check(cases::norms());
}

/// Their two statistics, and an origin, are marked as constants.
#[test]
fn capture_decomposes_batch_norms() {
    let marks = |case: &Case| {
        let operations = operations(&case.inputs, |inputs| vec![(case.op)(inputs)]);
        let marks = marks(&operations);
        assert!(marks.iter().all(|mark| *mark == STOP_GRADIENT), "{marks:?}");
        marks.len()
    };
    for case in batch_norms::batch_norms() {
        assert_eq!(marks(&case), 2, "{}", case.name);
    }
    let affines = channel_affines::channel_affines();
    assert!(affines.iter().all(|case| marks(case) <= 1));
}

#[test]
fn capture_decomposes_gated_units() {
    check(cases::gates());
}

#[test]
fn capture_decomposes_softmax() {
    check(cases::softmaxes());
}

#[test]
fn capture_decomposes_cosines_and_sines() {
    check(cases::waves());
}

#[test]
fn capture_decomposes_rotations() {
    check(cases::rotations());
}

#[test]
fn capture_decomposes_residuals() {
    check(cases::residuals());
}

#[test]
fn capture_decomposes_attention() {
    check(cases::attentions());
    check(cases::packed_attentions());
}

#[test]
fn capture_decomposes_adamw() {
    let inputs: Vec<_> = (0..4).map(|seed| values(seed, 5)).collect();
    let operations = operations(&inputs, |t| {
        let [p, g, m, v] = t.try_into().unwrap();
        let (p, m, v) = adamw_step(p, g, m, v, &step());
        vec![p, m, v]
    });
    assert_decomposed("adamw_step", &operations);
}

/// The names of the custom operations.
fn marks(operations: &[OperationIr]) -> Vec<&str> {
    operations
        .iter()
        .filter_map(|operation| match operation {
            OperationIr::Custom(custom) => {
                let (x, y) = (&custom.inputs[0], &custom.outputs[0]);
                assert_eq!((&x.shape, x.dtype), (&y.shape, y.dtype));
                Some(custom.id.as_str())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn capture_marks_where_gradients_stop() {
    let inputs = [values(0, 6)];
    let constant = operations(&inputs, |x| {
        vec![x[0].clone() * stop_gradient(x[0].clone())]
    });
    assert_eq!(marks(&constant), [STOP_GRADIENT]);
    let norm = RevInConfig::new(3).with_affine(false).init(&Device::flex());
    let norm = operations(&inputs, |x| {
        let (y, _) = norm.normalize(x[0].clone().reshape([1, 2, 3]));
        vec![y.reshape([6])]
    });
    assert_eq!(marks(&norm), [STOP_GRADIENT]);
}

/// A captured forward pass is in the mode of the module.
#[test]
fn capture_in_training_mode_records_the_draws() {
    let draws = |mode| {
        let layer = set_mode(DropoutConfig::new(0.5).init(&Device::flex()), mode);
        let operations = operations(&[values(0, 6)], |x| vec![layer.forward(x[0].clone() * 2.0)]);
        let random = |operation: &&OperationIr| {
            matches!(
                operation,
                OperationIr::Float(_, FloatOperationIr::Random(_))
            )
        };
        operations.iter().filter(random).count()
    };
    assert_eq!(draws(Mode::Train), 1);
    assert_eq!(draws(Mode::Evaluate), 0);
}

fn step() -> AdamWStep {
    AdamWStep {
        learning_rate: 1e-3,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 1e-2,
        time: 3,
    }
}
