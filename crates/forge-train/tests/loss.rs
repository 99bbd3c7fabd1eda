use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_train::loss::{LossConfig, Reduction, RegressionLoss};
use serde_json::Value;

use crate::case::{Case, error, read};

/// Bounds on values and gradients.
const TYPES: [(DType, f64, f64); 2] = [(DType::F64, 1e-9, 1e-9), (DType::F32, 1e-5, 1e-4)];

/// The case's config with the loss under our tag.
fn named(case: &Case) -> Value {
    let mut config = case.config.clone();
    let fields = config.as_object_mut().unwrap();
    let name = fields.remove("loss").unwrap();
    fields.insert("name".into(), name);
    config
}

fn check<const D: usize>(case: &Case, dtype: DType, bound: f64, grad_bound: f64) {
    let loss: LossConfig = serde_json::from_value(named(case)).unwrap();
    loss.validate().unwrap();
    let device = Device::flex().autodiff();
    let shape: [usize; D] = case.shape("input/pred").try_into().unwrap();
    let mut target_shape = shape;
    if case.shape("input/target").len() < D {
        target_shape[D - 1] = 1;
    }
    let tensor = |key: &str, shape| case.tensor::<D>(key, shape, &device, dtype);
    let target = tensor("input/target", target_shape);
    let compare = |what: &str, found: &Tensor<D>, key: &str, bound: f64| {
        let e = error(&read(found), case.values(key));
        assert!(e <= bound, "{} {dtype:?} {what}: {e:e}", case.name);
    };

    let pred = tensor("input/pred", shape).require_grad();
    let y = loss.forward(pred.clone(), target.clone(), Reduction::None);
    compare("values", &y, "output/y", bound);
    let grads = (y * tensor("cotangent/y", shape)).sum().backward();
    let grad = pred.grad(&grads).unwrap();
    compare("gradient", &grad, "grad_input/pred", grad_bound);

    let mean = loss.forward(pred.clone(), target.clone(), Reduction::Mean);
    assert_eq!(mean.dims(), [1; D]);
    let e = error(&read(&mean), case.values("output/mean"));
    assert!(e <= bound, "{} {dtype:?} mean: {e:e}", case.name);
    let grads = loss.mean(pred.clone(), target.clone()).backward();
    let grad = pred.grad(&grads).unwrap();
    compare("gradient of the mean", &grad, "grad_mean/pred", grad_bound);

    let sum = loss.forward(pred, target, Reduction::Sum);
    let n = case.values("output/y").len() as f64;
    let e = error(&read(&sum), &[case.values("output/mean")[0] * n]);
    assert!(e <= bound, "{} {dtype:?} sum: {e:e}", case.name);
}

#[test]
fn oracle_cases_pass_in_both_types() {
    let cases = Case::all("losses");
    assert_eq!(cases.len(), 11);
    for case in &cases {
        for (dtype, bound, grad_bound) in TYPES {
            match case.shape("input/pred").len() {
                1 => check::<1>(case, dtype, bound, grad_bound),
                2 => check::<2>(case, dtype, bound, grad_bound),
                3 => check::<3>(case, dtype, bound, grad_bound),
                rank => panic!("{} has rank {rank}", case.name),
            }
        }
    }
}

#[test]
fn the_simple_losses_are_what_they_say() {
    let device = Device::flex().autodiff();
    let pred = Tensor::<2>::from_data([[1.0, -2.0], [0.5, 3.0]], &device).require_grad();
    let target = Tensor::<2>::from_data([[0.0, 1.0], [0.5, 1.0]], &device);
    for (name, values, gradient) in [
        ("mse", [1.0, 9.0, 0.0, 4.0], [2.0, -6.0, 0.0, 4.0]),
        ("mae", [1.0, 3.0, 0.0, 2.0], [1.0, -1.0, 0.0, 1.0]),
    ] {
        let loss: LossConfig = name.parse().unwrap();
        let y = loss.elementwise(pred.clone(), target.clone());
        assert_eq!(read(&y), values, "{name}");
        let grads = y.sum().backward();
        assert_eq!(read(&pred.grad(&grads).unwrap()), gradient, "{name}");
    }
}

#[test]
fn every_loss_tells_of_nan_and_of_gradients_at_zero() {
    let device = Device::flex().autodiff();
    for name in LossConfig::NAMES {
        let loss: LossConfig = name.parse().unwrap();
        let target = Tensor::<2>::from_data([[0.0], [0.0]], &device);
        for bad in [f64::NAN, f64::INFINITY] {
            let pred = Tensor::<2>::from_data([[bad], [0.0]], &device);
            let mean = read(&loss.mean(pred, target.clone()))[0];
            let bounded = name == "tukey" && bad.is_infinite();
            assert_eq!(mean.is_finite(), bounded, "{name} of {bad} is {mean}");
        }
        let pred = target.clone().require_grad();
        let grads = loss.mean(pred.clone(), target).backward();
        let grad = read(&pred.grad(&grads).unwrap());
        assert!(grad.iter().all(|g| g.is_finite()), "{name}: {grad:?}");
    }
}

#[test]
fn log_cosh_is_exact_near_zero_and_far_out() {
    let device = Device::flex().autodiff();
    let residuals = [1e-4, 1e-3, 0.3, 0.999_999, 1.0, 1.5, 20.0, 1000.0];
    let pred = Tensor::<1>::from_data(residuals, (&device, DType::F32)).require_grad();
    let loss: LossConfig = "log_cosh".parse().unwrap();
    let y = loss.elementwise(pred.clone(), pred.zeros_like());
    let grads = y.clone().sum().backward();
    let grad = read(&pred.grad(&grads).unwrap());
    for ((x, y), g) in read(&pred).iter().zip(read(&y)).zip(grad) {
        let exact = x + (-2.0 * x).exp().ln_1p() - std::f64::consts::LN_2;
        let exact = if *x < 0.01 { x * x / 2.0 } else { exact };
        assert!((y / exact - 1.0).abs() < 1e-5, "{x}: {y} {exact}");
        assert!((g / x.tanh() - 1.0).abs() < 1e-6, "{x}: {g}");
    }
}

/// The formula on variances themselves, and differences for the gradient (`cases/qlike.py`).
#[test]
fn qlike_of_logarithms_is_that_of_variances() {
    let case: serde_json::Value = serde_json::from_str(include_str!("cases/qlike.json")).unwrap();
    let numbers = |name: &str| -> Vec<f64> {
        let values = case[name].as_array().unwrap();
        values.iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let device = Device::flex().autodiff();
    let tensor = |values: Vec<f64>| {
        let size = [values.len()];
        Tensor::<1>::from_data(TensorData::new(values, size), (&device, DType::F64))
    };
    let loss: LossConfig = format!("qlike:{}", case["scale"]).parse().unwrap();
    let pred = tensor(numbers("pred")).require_grad();
    let y = loss.elementwise(pred.clone(), tensor(numbers("target")));
    let grads = y.clone().sum().backward();
    let ours = [read(&y), read(&pred.grad(&grads).unwrap())];
    for (ours, name, bound) in [(&ours[0], "loss", 1e-9), (&ours[1], "gradient", 1e-6)] {
        for (i, (a, b)) in ours.iter().zip(numbers(name)).enumerate() {
            assert!(
                (a - b).abs() <= bound * b.abs().max(1.0),
                "{name} {i}: {a} {b}"
            );
        }
    }
    // Far out it stays a number, also in f32: e^20 and its tangent.
    let far = Tensor::<1>::from_data([-200.0_f32], &device).require_grad();
    let qlike: LossConfig = "qlike".parse().unwrap();
    let y = qlike.elementwise(far.clone(), far.zeros_like());
    let grads = y.clone().sum().backward();
    let exact = 20_f64.exp() * 181.0 - 201.0;
    assert!((read(&y)[0] / exact - 1.0).abs() < 1e-5);
    let slope = 1.0 - 20_f64.exp();
    assert!((read(&far.grad(&grads).unwrap())[0] / slope - 1.0).abs() < 1e-5);
    assert!("qlike:0".parse::<LossConfig>().is_err());
}

#[test]
#[should_panic(expected = "pred has shape [3, 1], target [1, 3]")]
fn shapes_are_not_broadcast() {
    let device = Device::flex();
    let loss = LossConfig::default();
    let _ = loss.mean(
        Tensor::<2>::zeros([3, 1], &device),
        Tensor::<2>::zeros([1, 3], &device),
    );
}

#[test]
#[should_panic(expected = "target has shape [3, 2], pred [3, 2]; target must be [3, 1]")]
fn quantiles_want_one_target_column() {
    let device = Device::flex();
    let loss: LossConfig = "quantile:0.1,0.9".parse().unwrap();
    let _ = loss.mean(
        Tensor::<2>::zeros([3, 2], &device),
        Tensor::<2>::zeros([3, 2], &device),
    );
}

#[test]
fn names_round_trip_and_nonsense_is_refused() {
    for name in LossConfig::NAMES {
        let loss: LossConfig = name.parse().unwrap();
        assert_eq!(loss.to_string(), name);
        let json = serde_json::to_string(&loss).unwrap();
        assert_eq!(serde_json::from_str::<LossConfig>(&json).unwrap(), loss);
        let unknown = format!("{},\"x\":1}}", json.trim_end_matches('}'));
        assert!(serde_json::from_str::<LossConfig>(&unknown).is_err());
    }
    for (text, part) in [
        ("hubert", "one of huber, mse"),
        ("huber:x", "numbers after the colon"),
        ("huber:-1", "loss.delta = -1"),
        ("huber:nan", "loss.delta = NaN"),
        ("mse:1", "at most 0"),
        ("quantile:0.9,0.1", "loss.quantiles[1] = 0.1"),
        ("quantile:1", "loss.quantiles[0] = 1"),
        ("wing:0", "loss.width = 0"),
        ("tukey:inf", "loss.c = inf"),
        ("asymmetric:1,0", "loss.over_weight = 0"),
    ] {
        let error = text.parse::<LossConfig>().unwrap_err();
        assert!(error.is_config());
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}
