//! The gradient check passes what is right and fails what is wrong.

use burn::module::Module;
use burn::nn::{BatchNormConfig, LayerNormConfig, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::{GradientCheck, GradientMismatch, Noise};

fn check() -> GradientCheck {
    GradientCheck::new(&Device::flex())
}

fn input(seed: u64, shape: &[usize]) -> TensorData {
    Noise::new(seed).tensor(shape)
}

#[test]
fn right_gradients_pass() {
    let (a, b) = (input(1, &[3, 5]), input(2, &[5, 7]));
    let product = |x: Vec<Tensor<2>>| x[0].clone().matmul(x[1].clone()).tanh();
    let report = check()
        .function::<2, 2>(&[a.clone(), b.clone()], product)
        .unwrap();
    assert_eq!(report.checked, 10);
    assert!(report.worst < 1e-8, "{report:?}");
    let report = check()
        .with_every_element()
        .function::<2, 2>(&[a, b], product)
        .unwrap();
    assert_eq!(report.checked, 3 * 5 + 5 * 7);
}

#[test]
fn a_detached_part_fails() {
    let wrong = |x: Vec<Tensor<2>>| x[0].clone().exp() * x[0].clone().detach().sin();
    let error = check()
        .function::<2, 2>(&[input(1, &[3, 5])], wrong)
        .unwrap_err();
    assert!(
        matches!(&error, GradientMismatch::Wrong { name, .. } if name == "input 0"),
        "{error}"
    );
}

#[test]
fn a_gradient_lost_altogether_fails() {
    let wrong = |x: Vec<Tensor<2>>| x[0].clone().detach().exp();
    check()
        .function::<2, 2>(&[input(1, &[3, 5])], wrong)
        .unwrap_err();
}

#[test]
fn one_wrong_element_in_many_fails() {
    let wrong = |x: Vec<Tensor<2>>| {
        let y = x[0].clone().square();
        let corner = y.clone().slice([0..1, 0..1]).detach();
        y.slice_assign([0..1, 0..1], corner)
    };
    let x = input(1, &[11, 13]);
    check()
        .function::<2, 2>(std::slice::from_ref(&x), wrong)
        .unwrap_err();
    let error = check()
        .with_every_element()
        .function::<2, 2>(&[x], wrong)
        .unwrap_err();
    assert!(
        matches!(error, GradientMismatch::Wrong { direction: 0, .. }),
        "{error}"
    );
}

#[test]
fn a_value_that_is_not_finite_is_said() {
    let log = |x: Vec<Tensor<1>>| x[0].clone().log();
    let error = check()
        .function::<1, 1>(&[TensorData::from([-1.0f64])], log)
        .unwrap_err();
    assert!(matches!(error, GradientMismatch::NotFinite), "{error}");
}

#[derive(Module, Debug)]
struct Net {
    first: burn::nn::Linear,
    norm: burn::nn::LayerNorm,
    batch_norm: burn::nn::BatchNorm,
    second: burn::nn::Linear,
}

impl Net {
    fn new() -> Self {
        let device = Device::flex();
        device.seed(1);
        Self {
            first: LinearConfig::new(5, 7).init(&device),
            norm: LayerNormConfig::new(7).init(&device),
            batch_norm: BatchNormConfig::new(7).init(&device),
            second: LinearConfig::new(7, 2).init(&device),
        }
    }

    fn forward(&self, detach: bool) -> Tensor<2> {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data(input(3, &[11, 5]), (&device, DType::F64));
        let x = self.norm.forward(self.first.forward(x).tanh());
        let x = self.batch_norm.forward(x);
        self.second.forward(if detach { x.detach() } else { x })
    }
}

#[test]
fn every_parameter_of_a_module_is_checked() {
    let report = check()
        .module(&Net::new(), |net: &Net| net.forward(false))
        .unwrap();
    // Weight and bias of two linear layers and two norms; running statistics are no parameters.
    assert_eq!(report.checked, 8 * 5);
}

#[test]
fn a_module_with_a_cut_graph_fails() {
    let error = check()
        .module(&Net::new(), |net: &Net| net.forward(true))
        .unwrap_err();
    let cut = ["first", "norm", "batch_norm"];
    assert!(
        matches!(&error, GradientMismatch::Wrong { name, .. }
            if cut.iter().any(|part| name.starts_with(part))),
        "{error}"
    );
}
