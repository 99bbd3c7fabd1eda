//! Tensors to test with, and gradient checks of functions of one tensor and of modules.

use std::cell::RefCell;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::burn;
use forge_testkit::{GradientCheck, Noise};

pub(crate) fn device() -> Device {
    Device::flex().autodiff()
}

thread_local! {
    static NOISE: RefCell<Noise> = RefCell::new(Noise::new(1));
}

/// Standard normal f64 numbers, the same in every run of a test.
pub(crate) fn normal<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let draw = |noise: &mut Noise| {
        // Box and Muller, from uniform numbers in [-1, 1).
        let radius = (-2.0 * ((1.0 - noise.uniform()) / 2.0).ln()).sqrt();
        radius * (std::f64::consts::PI * noise.uniform()).cos()
    };
    let count: usize = shape.iter().product();
    let values: Vec<f64> = NOISE.with_borrow_mut(|noise| (0..count).map(|_| draw(noise)).collect());
    Tensor::from_data(TensorData::new(values, shape), (&device(), DType::F64))
}

pub(crate) fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.into_scalar::<f64>()
}

pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    let data = tensor.into_data().convert::<f64>();
    data.try_to_vec::<f64>().unwrap()
}

#[track_caller]
pub(crate) fn close<const D: usize>(ours: Tensor<D>, expected: Tensor<D>, tolerance: f64) {
    assert_eq!(ours.dims(), expected.dims());
    let scale = numbers(expected.clone())
        .iter()
        .fold(1e-300f64, |m, v| m.max(v.abs()));
    for (a, b) in numbers(ours).into_iter().zip(numbers(expected)) {
        assert!(
            (a - b).abs() <= tolerance * scale,
            "{a} is not {b} (scale {scale})"
        );
    }
}

/// Checks the gradient of `loss` at `x`.
#[track_caller]
pub(crate) fn check_input<const D: usize>(x: Tensor<D>, loss: impl Fn(Tensor<D>) -> Tensor<1>) {
    let result =
        GradientCheck::new(&device()).function::<D, 1>(&[x.into_data()], |x| loss(x[0].clone()));
    assert!(result.unwrap().checked > 0);
}

/// Checks the gradient of `loss` with respect to every trainable parameter of `module`.
#[track_caller]
pub(crate) fn check_parameters<M: Module>(module: M, loss: impl Fn(&M) -> Tensor<1>) {
    let result = GradientCheck::new(&device()).module::<M, 1>(&module, loss);
    assert!(result.unwrap().checked > 0, "no trainable parameter");
}

struct ToF64;

impl ModuleMapper for ToF64 {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let tracked = param.is_require_grad();
        let tensor = param.val().detach().cast(DType::F64);
        // Away from zero, so that no term is trivially right.
        let noise = normal(tensor.dims()).abs() * 0.1 + 0.05;
        Param::initialized(
            param.id,
            (tensor + noise).detach().set_require_grad(tracked),
        )
    }
}

/// The module in f64 with parameters moved away from their start.
pub(crate) fn in_f64<M: Module>(module: M) -> M {
    device().seed(7);
    module.map(&mut ToF64)
}
