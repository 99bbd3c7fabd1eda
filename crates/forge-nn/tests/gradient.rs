//! A gradient check in f64 by central differences along random directions, for one input or a
//! module's parameters.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use std::cell::RefCell;

use burn::tensor::{DType, Device, Gradients, Tensor, TensorData};
use forge_nn::burn;

pub(crate) fn device() -> Device {
    Device::flex().autodiff()
}

/// A stream of standard normal numbers, so that tests do not depend on Burn's global generator.
struct Normals(u64);

impl Normals {
    fn uniform(&mut self) -> f64 {
        // SplitMix64 (Steele et al. 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn tensor<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        let draw = |_| {
            let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
            radius * (std::f64::consts::TAU * self.uniform()).cos()
        };
        let values: Vec<f64> = (0..shape.iter().product()).map(draw).collect();
        Tensor::from_data(TensorData::new(values, shape), (&device(), DType::F64))
    }
}

thread_local! {
    static NORMALS: RefCell<Normals> = const { RefCell::new(Normals(1)) };
}

/// Standard normal f64 numbers, the same in every run of a test.
pub(crate) fn normal<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    NORMALS.with_borrow_mut(|normals| normals.tensor(shape))
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

const STEP: f64 = 1e-5;

#[track_caller]
fn agree(analytic: f64, high: f64, low: f64) {
    let numeric = (high - low) / (2.0 * STEP);
    let scale = analytic.abs().max(numeric.abs()).max(1e-4);
    assert!(
        (analytic - numeric).abs() / scale < 1e-6,
        "gradient {analytic}, difference quotient {numeric}"
    );
}

/// Checks the gradient of `loss` at `x`.
#[track_caller]
pub(crate) fn check_input<const D: usize>(x: Tensor<D>, loss: impl Fn(Tensor<D>) -> Tensor<1>) {
    let x = x.detach().require_grad();
    let gradient = x.grad(&loss(x.clone()).backward()).unwrap();
    let gradient = Tensor::<D>::from_inner(gradient);
    for _ in 0..3 {
        let direction = normal(x.dims());
        let at = |step: f64| scalar(loss(x.clone().detach() + direction.clone() * step));
        let analytic = scalar((gradient.clone() * direction.clone()).sum());
        agree(analytic, at(STEP), at(-STEP));
    }
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

struct Shift<'a> {
    target: ParamId,
    step: f64,
    seed: u64,
    dot: f64,
    gradients: Option<&'a Gradients>,
}

impl ModuleMapper for Shift<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id != self.target {
            return param;
        }
        let direction = Normals(self.seed).tensor(param.val().dims());
        if let Some(gradient) = self.gradients.and_then(|g| param.val().grad(g)) {
            let gradient = Tensor::<D>::from_inner(gradient);
            self.dot = scalar((gradient * direction.clone()).sum());
        }
        let moved = param.val().detach() + direction * self.step;
        Param::initialized(param.id, moved.detach().require_grad())
    }
}

#[derive(Default)]
struct Trainable(Vec<ParamId>);

impl ModuleVisitor for Trainable {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0.push(param.id);
        }
    }
}

/// Checks the gradient of `loss` with respect to every trainable parameter of `module`.
#[track_caller]
pub(crate) fn check_parameters<M: Module>(module: M, loss: impl Fn(&M) -> Tensor<1>) {
    let mut trainable = Trainable::default();
    module.visit(&mut trainable);
    assert!(
        !trainable.0.is_empty(),
        "the module has no trainable parameter"
    );
    let gradients = loss(&module).backward();
    for (index, id) in trainable.0.into_iter().enumerate() {
        let shift = |step: f64, gradients| Shift {
            target: id,
            step,
            seed: 100 + index as u64,
            dot: 0.0,
            gradients,
        };
        let mut up = shift(STEP, Some(&gradients));
        let high = scalar(loss(&module.clone().map(&mut up)));
        let low = scalar(loss(&module.clone().map(&mut shift(-STEP, None))));
        agree(up.dot, high, low);
    }
}
