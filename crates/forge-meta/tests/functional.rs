//! Derivatives of a small network, against each other and against what is known of them.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, tanh};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use forge_meta::functional::{Functional, ParamTensor, Params};
use forge_meta::search::{Darts, DartsConfig, Unrolling};
use forge_nn::norm::{BatchNorm, BatchNormConfig, RevIn, RevInConfig};
use forge_nn::ops::stop_gradient;
use forge_nn::parameters::{ParameterMapper, ParameterPath, map_parameters};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Mode, ModuleConfig, set_mode};
use forge_testkit::{Noise, gradients_by_name};

use crate::kinds::{curvature, host};

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    out: Linear,
}

impl Net {
    fn new(outputs: usize, device: &Device) -> Self {
        let net = Self {
            hidden: LinearConfig::new(3, 5).init(device),
            out: LinearConfig::new(5, outputs).init(device),
        };
        doubles(net)
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.out.forward(tanh(self.hidden.forward(x)))
    }
}

/// A module in f64, the same at each call.
pub(crate) fn doubles<M: Module>(module: M) -> M {
    struct Fill(Noise);
    impl ParameterMapper for Fill {
        fn map<const D: usize>(
            &mut self,
            _: &ParameterPath,
            param: Param<Tensor<D>>,
        ) -> Param<Tensor<D>> {
            let shape = param.lazy_shape().to_vec();
            let data = self.0.tensor(&shape);
            let tracked = param.is_require_grad();
            param.map(|old| {
                let device = old.device();
                let new = Tensor::<D>::from_data(data, (&device, DType::F64)) * 0.5;
                match device.is_autodiff() {
                    true => new.detach().set_require_grad(tracked),
                    false => new,
                }
            })
        }
    }
    map_parameters(module, &mut Fill(Noise::new(5)))
}

pub(crate) fn noise<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let data: TensorData = Noise::new(seed).tensor(&shape);
    Tensor::from_data(data, (device, DType::F64))
}

pub(crate) fn direction(params: &Params, seed: u64) -> Params {
    let mut noise = Noise::new(seed);
    params.map(|_, tensor| {
        let (data, device) = (noise.tensor(&tensor.shape()), tensor.device());
        let dtype = tensor.dtype();
        ParamTensor::from_data(data, &device, dtype)
    })
}

type Pair = (Tensor<2>, Tensor<2>);

fn mse(net: &Net, (x, y): Pair) -> Tensor<1> {
    (net.forward(x) - y).powi_scalar(2).mean()
}

fn data(device: &Device) -> Pair {
    (noise(1, [7, 3], device), noise(2, [7, 2], device))
}

pub(crate) fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(1e-3f64, |size, x| size.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= tolerance * size,
            "{found}, expected {expected}"
        );
    }
}

fn dot(a: &Params, b: &Params) -> f64 {
    a.dot(b).unwrap().into_scalar()
}

#[test]
fn gradients_are_those_of_burn() {
    let device = Device::flex();
    let net = Net::new(2, &device.clone().autodiff());
    let f = Functional::capture(&net, mse);
    let (value, gradient) = f.value_and_grad(&Params::of(&net), data(&device)).unwrap();
    let loss = mse(&net, data(&device));
    assert_eq!(
        value.into_scalar::<f64>(),
        loss.clone().into_scalar::<f64>()
    );
    let expected = gradients_by_name(&net, &loss.backward());
    assert_eq!(gradient.len(), expected.len());
    for (name, tensor) in gradient.iter() {
        let found: Vec<f64> = tensor.clone().into_data().iter().collect();
        close(&found, &expected[name].iter().collect::<Vec<_>>(), 1e-14);
    }
}

#[test]
fn hessian_products_are_exact_and_symmetric() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let f = Functional::capture(&net, mse);
    let params = Params::of(&net);
    let (u, v) = (direction(&params, 3), direction(&params, 4));
    let (exact, numeric) = curvature(&f, &params, &v, &data(&device), 1e-5);
    close(&exact, &numeric, 1e-8);
    let of = |direction: &Params| f.hvp(&params, direction, data(&device)).unwrap();
    let (one, other) = (dot(&u, &of(&v)), dot(&v, &of(&u)));
    assert!((one - other).abs() <= 1e-12 * one.abs(), "{one} {other}");
}

#[test]
fn jacobian_products_agree() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let f = Functional::capture(&net, |net: &Net, (x,): (Tensor<2>,)| net.forward(x));
    let params = Params::of(&net);
    let (x, v) = (data(&device).0, direction(&params, 3));
    let u = noise(8, [7, 2], &device);
    let (_, along) = f.jvp(&params, &v, (x.clone(),)).unwrap();
    let (y, back) = f.vjp(&params, (x.clone(),), u.clone()).unwrap();
    assert_eq!(y.to_data(), net.forward(x.clone()).to_data());
    let (one, other) = (
        (along.clone() * u).sum().into_scalar::<f64>(),
        dot(&back, &v),
    );
    assert!((one - other).abs() <= 1e-12 * one.abs(), "{one} {other}");
    let all = f.jacobian(&params, (x,)).unwrap();
    let mut product = vec![0.0; 14];
    for ((_, rows), (_, v)) in all.iter().zip(v.iter()) {
        let rows: Vec<f64> = rows.clone().into_data().iter().collect();
        let v: Vec<f64> = v.clone().into_data().iter().collect();
        for (product, row) in product.iter_mut().zip(rows.chunks(v.len())) {
            *product += row.iter().zip(&v).map(|(a, b)| a * b).sum::<f64>();
        }
    }
    close(
        &product,
        &along.into_data().iter().collect::<Vec<_>>(),
        1e-12,
    );
}

#[test]
fn gradients_of_gradients_are_ordinary_gradients() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let f = Functional::capture(&net, mse);
    let params = Params::of(&net);
    let v = direction(&params, 4);
    let leaves = params.require_grad();
    let gradient = f.grad(&leaves, data(&device)).unwrap();
    let found = leaves.gradients(&gradient.dot(&v).unwrap().backward());
    let expected = f.hvp(&params, &v, data(&device)).unwrap();
    close(&host(&found), &host(&expected), 1e-13);
}

#[derive(Module, Debug)]
struct Spare {
    net: Net,
    spare: Linear,
}

/// What the loss does not reach has derivatives of 0, of either order and through a step of training.
#[test]
fn parameters_that_nothing_uses_have_derivatives_of_zero() {
    let device = Device::flex();
    let model = doubles(Spare {
        net: Net::new(2, &device),
        spare: LinearConfig::new(2, 4).init(&device),
    });
    let f = Functional::capture(&model, |model: &Spare, pair: Pair| mse(&model.net, pair));
    let params = Params::of(&model);
    let direction = direction(&params, 3);
    let leaves = params.require_grad();
    let step = f.grad(&leaves, data(&device)).unwrap();
    let stepped = leaves.add_scaled(&step, -0.1).unwrap();
    let after = f.call(&stepped, data(&device)).unwrap();
    for found in [
        f.grad(&params, data(&device)).unwrap(),
        f.hvp(&params, &direction, data(&device)).unwrap(),
        leaves.gradients(&after.backward()),
    ] {
        assert_eq!(found.len(), 6);
        for (name, tensor) in found.iter() {
            let size = tensor
                .clone()
                .into_data()
                .iter::<f64>()
                .map(f64::abs)
                .sum::<f64>();
            assert_eq!(size == 0.0, name.starts_with("spare"), "{name}: {size}");
        }
    }
}

/// `d/dθ (vᵀ H v)`, the third derivative along `v` twice, against differences of the second.
#[test]
fn third_derivatives_are_exact() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let f = Functional::capture(&net, mse);
    let params = Params::of(&net);
    let v = direction(&params, 4);
    let leaves = params.require_grad();
    let curved = f.hvp(&leaves, &v, data(&device)).unwrap();
    let third = leaves.gradients(&curved.dot(&v).unwrap().backward());
    let along = dot(&third, &v);
    let step = 1e-4;
    let at = |by: f64| {
        let moved = params.add_scaled(&v, by).unwrap();
        dot(&f.hvp(&moved, &v, data(&device)).unwrap(), &v)
    };
    let numeric = (at(step) - at(-step)) / (2.0 * step);
    assert!(
        (along - numeric).abs() <= 1e-6 * along.abs().max(1.0),
        "{along} {numeric}"
    );
    assert!(along.abs() > 1e-3, "nothing to see");
}

/// For a squared error half of the mean, the Gauss-Newton matrix is `JᵀJ` over the rows.
#[test]
fn gauss_newton_is_the_jacobian_squared() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let f = Functional::capture(&net, |net: &Net, (x,): (Tensor<2>,)| net.forward(x));
    let nothing = Net::new(1, &device).no_grad();
    let loss = Functional::capture(&nothing, |_, (y, target): (Tensor<2>, Tensor<2>)| {
        (y - target).powi_scalar(2).sum() * 0.5
    });
    let params = Params::of(&net);
    let ((x, y), v) = (data(&device), direction(&params, 3));
    let found = f.gauss_newton(&params, &v, (x.clone(),), &loss, y).unwrap();
    let (_, along) = f.jvp(&params, &v, (x.clone(),)).unwrap();
    let (_, expected) = f.vjp(&params, (x,), along).unwrap();
    close(&host(&found), &host(&expected), 1e-13);
}

type Labelled = (Tensor<2>, Tensor<1, Int>);

fn losses(net: &Net, (x, y): Labelled) -> Tensor<1> {
    let says = log_softmax(net.forward(x), 1);
    says.gather(1, y.unsqueeze_dim(1)).neg().squeeze_dim(1)
}

#[test]
fn gradients_of_samples_add_up() {
    let device = Device::flex();
    let net = Net::new(3, &device);
    let params = Params::of(&net);
    let labels = || Tensor::<1, Int>::from_data([0, 2, 1, 1, 0, 2, 2], &device);
    let inputs = || (data(&device).0, labels());
    let mean = Functional::capture(&net, |net: &Net, inputs| losses(net, inputs).mean());
    let each = mean.per_sample_grad(&params, inputs()).unwrap();
    assert_eq!(each.len(), 7);
    let sum = each[1..].iter().fold(each[0].clone(), |sum, one| {
        sum.add_scaled(one, 1.0).unwrap()
    });
    let whole = mean.grad(&params, inputs()).unwrap();
    close(&host(&sum.scale(1.0 / 7.0)), &host(&whole), 1e-13);
    // Their outer products are the empirical Fisher information.
    let v = direction(&params, 3);
    let vector = Functional::capture(&net, losses);
    let found = vector.fisher(&params, &v, inputs()).unwrap();
    let expected = each.iter().fold(params.zeros_like(), |sum, one| {
        sum.add_scaled(one, dot(one, &v) / 7.0).unwrap()
    });
    close(&host(&found), &host(&expected), 1e-13);
}

#[derive(Module, Debug)]
struct Straight {
    norm: RevIn,
    weight: Param<Tensor<1>>,
}

/// RevIN's statistics and a straight-through estimator are constants in a replay as they are in
/// Burn's own gradient.
#[test]
fn gradients_stop_where_they_stop_in_burn() {
    let device = Device::flex().autodiff();
    let module = doubles(Straight {
        norm: RevInConfig::new(3).init(&device),
        weight: Param::from_tensor(Tensor::<1>::ones([3], &device)),
    });
    let function = |module: &Straight, (x,): (Tensor<3>,)| {
        let x = x * module.weight.val().unsqueeze();
        let (y, _) = module.norm.normalize(x);
        let hard = y.clone().sign();
        let through = y.clone() + stop_gradient(hard - y.clone());
        (through * y).sum()
    };
    let f = Functional::capture(&module, function);
    let x = || noise::<3>(6, [2, 5, 3], &Device::flex());
    let gradient = f.grad(&Params::of(&module), (x(),)).unwrap();
    let expected = gradients_by_name(&module, &function(&module, (x(),)).backward());
    for (name, tensor) in gradient.iter() {
        let found: Vec<f64> = tensor.clone().into_data().iter().collect();
        close(&found, &expected[name].iter().collect::<Vec<_>>(), 1e-12);
    }
    assert!(expected.contains_key("weight"));
}

#[derive(Module, Debug)]
struct Noisy {
    linear: Linear,
    norm: BatchNorm,
    dropout: Dropout,
}

/// The mode of the module is that of the function: batch statistics and draws in training.
#[test]
fn the_mode_is_that_of_the_module() {
    let device = Device::flex();
    let module = Noisy {
        linear: LinearConfig::new(3, 4).init(&device),
        norm: BatchNormConfig::new(4).init(&device),
        dropout: DropoutConfig::new(0.5).init(&device),
    };
    let x = || noise::<2>(6, [7, 3], &device).cast(DType::F32);
    let run = |mode| {
        let module = set_mode(module.clone(), mode);
        let f = Functional::capture(&module, |m: &Noisy, (x,): (Tensor<2>,)| {
            m.dropout.forward(m.norm.forward(m.linear.forward(x)))
        });
        let params = Params::of(&module);
        let once = f.call(&params, (x(),)).unwrap().into_data();
        (once, f.call(&params, (x(),)).unwrap().into_data(), module)
    };
    let (once, again, module) = run(Mode::Evaluate);
    assert_eq!(once, again);
    let direct = module.norm.forward(module.linear.forward(x()));
    assert_eq!(once, direct.into_data());
    let (once, again, module) = run(Mode::Train);
    assert_ne!(once, again, "dropout draws anew");
    // What the recording did to the running statistics is not the module's business.
    let mean: Vec<f32> = module
        .norm
        .running_mean
        .value()
        .into_data()
        .iter()
        .collect();
    assert_eq!(mean, [0.0; 4]);
}

#[test]
fn what_is_wrong_is_said() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let params = Params::of(&net);
    let f = Functional::capture(&net, |net: &Net, (x,): (Tensor<2>,)| net.forward(x));
    let x = || (data(&device).0,);
    let error = f.grad(&params, x()).unwrap_err();
    assert!(
        error.is_shape() && error.to_string().contains("[7, 2]"),
        "{error}"
    );
    let error = f.call(&Params::of(&Net::new(3, &device)), x()).unwrap_err();
    assert!(
        error.is_weights() && error.to_string().contains("out.weight"),
        "{error}"
    );
    let error = f.call(&params, (x().0.cast(DType::F32),)).unwrap_err();
    assert!(
        error.is_shape() && error.to_string().contains("F32"),
        "{error}"
    );
    let error = f.vjp(&params, x(), noise(1, [2, 7], &device)).unwrap_err();
    assert!(error.is_shape(), "{error}");
    let strange = Functional::capture(&net, |net: &Net, (x,): (Tensor<2>,)| {
        net.forward(x).cummax(0).sum()
    });
    let error = strange.grad(&params, x()).unwrap_err().to_string();
    assert!(
        error.contains("NumericFloat.CumMax") && error.contains("`out`"),
        "{error}"
    );
}

/// Resident memory in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// No tape is left behind, at any level.
#[test]
fn memory_stays_flat() {
    let device = Device::flex();
    let net = Net::new(2, &device);
    let f = Functional::capture(&net, mse);
    let params = Params::of(&net);
    let v = direction(&params, 3);
    let run = |times: usize| {
        for _ in 0..times {
            f.hvp(&params, &v, data(&device)).unwrap();
            let leaves = params.require_grad();
            let gradient = f.grad(&leaves, data(&device)).unwrap();
            gradient.dot(&v).unwrap().backward();
        }
    };
    run(100);
    let before = resident();
    run(1_000);
    let grown = resident().saturating_sub(before);
    assert!(grown < 4_096, "{grown} KiB more after 1,000 calls");
}

/// Where the weights say nothing of the validation loss there is nothing to differ along.
#[test]
fn darts_by_differences_takes_no_direction_for_zeros() {
    let device = Device::flex().autodiff();
    let net = Net::new(2, &device);
    let batch = (noise(1, [4, 3], &device), noise(2, [4, 2], &device));
    let config = DartsConfig {
        architecture: vec!["hidden".into()],
        unrolling: Unrolling::Difference { r: 0.01 },
        ..DartsConfig::default()
    };
    let darts = Darts::new(config, Functional::capture(&net, mse)).unwrap();
    let params = Params::of(&net);
    let curved = darts
        .difference(&params, &params.zeros_like(), 0.01, batch)
        .unwrap();
    assert!(curved.norm().unwrap().into_scalar::<f64>() == 0.0);
}
