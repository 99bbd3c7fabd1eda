//! Losses that compare the parameters of a distribution with what happened.

use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::{GradientCheck, Noise};
use forge_train::loss::{
    binary_cross_entropy, cross_entropy, gaussian_nll, smoothed, smoothed_cross_entropy, softplus,
    student_t_nll,
};

use crate::case::{Case, error, read};

/// Bounds on values and gradients.
const TYPES: [(DType, f64, f64); 2] = [(DType::F64, 1e-9, 1e-9), (DType::F32, 1e-5, 1e-4)];

/// Runs a case whose first input is `key`: its loss and the gradient to it and to `also`.
fn check<const D: usize>(
    case: &Case,
    key: &str,
    also: &[&str],
    loss: impl Fn(&[Tensor<D>], Tensor<1>) -> Tensor<1>,
) {
    let device = Device::flex().autodiff();
    let shape = |key: &str| -> [usize; D] { case.shape(key).try_into().unwrap() };
    for (dtype, bound, grad_bound) in TYPES {
        let inputs: Vec<_> = std::iter::once(key).chain(also.iter().copied()).collect();
        let tensors: Vec<_> = inputs
            .iter()
            .map(|name| format!("input/{name}"))
            .map(|name| {
                let tensor = case.tensor::<D>(&name, shape(&name), &device, dtype);
                tensor.require_grad()
            })
            .collect();
        let n = case.values("input/target").len();
        let target = case.tensor::<1>("input/target", [n], &device, dtype);
        let y = loss(&tensors, target.clone());
        let e = error(&read(&y), case.values("output/y"));
        assert!(e <= bound, "{} {dtype:?} values: {e:e}", case.name);
        let mean = read(&y.clone().mean());
        let e = error(&mean, case.values("output/mean"));
        assert!(e <= bound, "{} {dtype:?} mean: {e:e}", case.name);
        let n = y.dims();
        let weighted = |key: &str| match key {
            // A graph serves one backward pass.
            "grad_mean" => loss(&tensors, target.clone()).mean(),
            _ => {
                let cotangent = case.tensor::<1>("cotangent/y", n, &device, dtype);
                (loss(&tensors, target.clone()) * cotangent).sum()
            }
        };
        for key in ["grad_input", "grad_mean"] {
            let grads = weighted(key).backward();
            for (tensor, name) in tensors.iter().zip(&inputs) {
                let grad = read(&tensor.grad(&grads).unwrap());
                let e = error(&grad, case.values(&format!("{key}/{name}")));
                let bound = grad_bound;
                assert!(e <= bound, "{} {dtype:?} {key} {name}: {e:e}", case.name);
            }
        }
    }
}

#[test]
fn pytorchs_values_and_gradients() {
    let cases = Case::all("likelihoods");
    assert_eq!(cases.len(), 6);
    for case in &cases {
        let number = |key: &str| case.config[key].as_f64().unwrap();
        match case.config["loss"].as_str().unwrap() {
            "label_smoothing_bce" => check::<1>(case, "logits", &[], |x, t| {
                let s = number("smoothing");
                binary_cross_entropy(x[0].clone(), smoothed(t, s, 2))
            }),
            "label_smoothing_ce" => check::<2>(case, "logits", &[], |x, t| {
                smoothed_cross_entropy(x[0].clone(), t, number("smoothing"))
            }),
            "gaussian_nll" => {
                let full = case.config["full"].as_bool().unwrap();
                let constant = if full {
                    0.0
                } else {
                    0.5 * (2.0 * std::f64::consts::PI).ln()
                };
                let log = case.config["parametrization"] == "log_variance";
                let key = if log { "log_variance" } else { "variance" };
                let nll = move |mean: Tensor<1>, spread: Tensor<1>, t| {
                    let scale = if log {
                        spread.mul_scalar(0.5).exp()
                    } else {
                        spread.sqrt()
                    };
                    gaussian_nll(mean, scale, t).sub_scalar(constant)
                };
                let flat = |x: &Tensor<2>| {
                    let n = x.shape().num_elements();
                    x.clone().reshape([n])
                };
                match case.shape("input/pred").len() {
                    1 => check::<1>(case, "pred", &[key], |x, t| {
                        nll(x[0].clone(), x[1].clone(), t)
                    }),
                    _ => check::<2>(case, "pred", &[key], |x, t| {
                        nll(flat(&x[0]), flat(&x[1]), t)
                    }),
                }
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn gradients_agree_with_differences() {
    let check = GradientCheck::new(&Device::flex());
    let [x, t] = [1, 2].map(|seed| Noise::new(seed).tensor(&[3, 5]));
    let positive = |x: Tensor<2>| softplus(x).add_scalar(0.1);
    check
        .function::<2, 2>(std::slice::from_ref(&x), |v| softplus(v[0].clone()))
        .unwrap();
    check
        .function::<2, 2>(&[x.clone(), t.clone()], |v| {
            binary_cross_entropy(v[0].clone(), v[1].clone())
        })
        .unwrap();
    check
        .function::<2, 1>(std::slice::from_ref(&x), |v| {
            let class = Tensor::<1>::from_data([4.0, 0.0, 2.0], (&v[0].device(), DType::F64));
            cross_entropy(v[0].clone(), class)
        })
        .unwrap();
    let s = Noise::new(3).tensor(&[3, 5]);
    check
        .function::<2, 2>(&[x.clone(), s.clone(), t.clone()], |v| {
            gaussian_nll(v[0].clone(), positive(v[1].clone()), v[2].clone())
        })
        .unwrap();
    for shift in [2.01, 7.0, 1e3] {
        let df = Noise::new(4).tensor(&[3, 5]);
        check
            .clone()
            .with_step(1e-4)
            .function::<2, 2>(&[x.clone(), s.clone(), df, t.clone()], |v| {
                let df = softplus(v[2].clone()).add_scalar(shift);
                student_t_nll(v[0].clone(), positive(v[1].clone()), df, v[3].clone())
            })
            .unwrap();
    }
}

#[test]
fn gradients_at_zero_are_those_of_the_smooth_function() {
    let device = Device::flex().autodiff();
    let x = Tensor::<1>::zeros([2], &device).require_grad();
    let target = Tensor::<1>::from_data([0.0, 1.0], &device);
    let grads = binary_cross_entropy(x.clone(), target).sum().backward();
    assert_eq!(read(&x.grad(&grads).unwrap()), [0.5, -0.5]);
    let grads = softplus(x.clone()).sum().backward();
    assert_eq!(read(&x.grad(&grads).unwrap()), [0.5, 0.5]);
}

#[test]
fn logits_of_any_size_are_exact() {
    for dtype in [DType::F32, DType::F64] {
        let device = Device::flex().autodiff();
        let logits = [-1e4, -80.0, -20.0, 20.0, 80.0, 1e4];
        let x = Tensor::<1>::from_data(logits, (&device, dtype)).require_grad();
        let close = |found: f64, exact: f64| {
            let bound = if dtype == DType::F32 { 1e-5 } else { 1e-12 };
            // Below the smallest normal f32 there is only 0.
            (found - exact).abs() <= bound * exact.abs().max(1e-30)
        };
        for t in [0.0, 1.0] {
            let y = binary_cross_entropy(x.clone(), x.zeros_like().add_scalar(t));
            let grads = y.clone().sum().backward();
            let grad = read(&x.grad(&grads).unwrap());
            let two = Tensor::stack::<2>(vec![x.zeros_like(), x.clone()], 1);
            let ce = read(&cross_entropy(two, x.zeros_like().add_scalar(t)));
            for (i, (x, y)) in logits.iter().zip(read(&y)).enumerate() {
                let wrong = if t == 1.0 { -x } else { *x };
                let tail = (-f64::abs(*x)).exp().ln_1p();
                let exact = wrong.max(0.0) + tail;
                assert!(close(y, exact), "{dtype:?} {x} {t}: {y:e} {exact:e}");
                assert!((ce[i] - exact).abs() <= 1e-6 * exact.max(1.0), "{x} {t}");
                let p = 1.0 / (1.0 + (-x).exp());
                assert!((grad[i] - (p - t)).abs() <= 1e-6, "{x} {t}: {}", grad[i]);
            }
        }
    }
}

#[test]
fn student_t_approaches_the_normal_and_stays_finite() {
    let device = Device::flex().autodiff();
    let tensor = |x: f64, dtype| Tensor::<1>::from_data([x], (&device, dtype)).require_grad();
    let near = |dtype, df: f64| {
        let [m, s, n, y] = [0.3, 0.7, df, 1.9].map(|x| tensor(x, dtype));
        let t = student_t_nll(m.clone(), s.clone(), n, y.clone());
        (read(&t)[0] - read(&gaussian_nll(m, s, y))[0]).abs()
    };
    assert!(near(DType::F64, 1e9) < 1e-8);
    assert!(near(DType::F32, 1e7) < 1e-5);
    assert!(near(DType::F64, 5.0) > 1e-2);
    let [m, s, n, y] = [0.0, 1e-4, 2.01, 1e6].map(|x| tensor(x, DType::F32));
    let loss = student_t_nll(m.clone(), s.clone(), n.clone(), y);
    let grads = loss.clone().backward();
    let all = [&m, &s, &n].map(|x| read(&x.grad(&grads).unwrap())[0]);
    assert!(all.iter().all(|g| g.is_finite()), "{all:?}");
    assert!(read(&loss)[0].is_finite());
}

#[test]
#[should_panic(expected = "logits has shape [3, 1], target [1, 3]")]
fn shapes_are_not_broadcast() {
    let zeros = |shape: [usize; 2]| {
        let data = TensorData::zeros::<f32, _>(shape);
        Tensor::<2>::from_data(data, &Device::flex())
    };
    let _ = binary_cross_entropy(zeros([3, 1]), zeros([1, 3]));
}
