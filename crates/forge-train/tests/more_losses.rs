//! What the newer losses promise beyond their recorded cases.

use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::{GradientCheck, Noise};
use forge_train::distribution::Normal;
use forge_train::loss::{
    Cvar, Distillation, Evidence, LossConfig, Quantile, Reduction, RegressionLoss, beta_nll,
    binary_cross_entropy, binary_focal, binary_softened_divergence, check_weights, cross_entropy,
    focal, gaussian_crps, quantile_crps, softened_divergence, softplus,
};

use crate::case::read;

fn row(values: &[f64], dtype: DType) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex().autodiff(), dtype))
}

#[test]
fn gradients_agree_with_differences() {
    let check = GradientCheck::new(&Device::flex());
    let [x, t, s] = [1, 2, 3].map(|seed| Noise::new(seed).tensor(&[3, 5]));
    let positive = |x: &Tensor<2>| softplus(x.clone()).add_scalar(0.1);
    check
        .function::<2, 2>(&[x.clone(), s.clone(), t.clone()], |v| {
            gaussian_crps(v[0].clone(), positive(&v[1]), v[2].clone())
        })
        .unwrap();
    check
        .function::<2, 2>(std::slice::from_ref(&x), |v| {
            let teacher = Tensor::<2>::from_data(t.clone(), (&v[0].device(), DType::F64));
            binary_softened_divergence(v[0].clone(), teacher, 3.0)
        })
        .unwrap();
    check
        .function::<2, 1>(std::slice::from_ref(&x), |v| {
            let teacher = Tensor::<2>::from_data(t.clone(), (&v[0].device(), DType::F64));
            softened_divergence(v[0].clone(), teacher, 3.0)
        })
        .unwrap();
    check
        .function::<2, 2>(&[x.clone(), s.clone(), t.clone()], |v| {
            let evidence = Evidence {
                mean: v[0].clone(),
                nu: positive(&v[1]),
                alpha: positive(&v[1]).add_scalar(1.0),
                beta: positive(&v[1]),
            };
            evidence.nll(v[2].clone())
        })
        .unwrap();
    check
        .function::<2, 1>(std::slice::from_ref(&x), |v| {
            let class = Tensor::<1>::from_data([4.0, 0.0, 2.0], (&v[0].device(), DType::F64));
            focal(v[0].clone(), class, 1.5, Some(&[0.2, 1.0, 0.7, 1.0, 2.0]))
        })
        .unwrap();
}

#[test]
fn crps_is_that_of_the_metric() {
    for dtype in [DType::F64, DType::F32] {
        let (bound, values) = match dtype {
            DType::F64 => (1e-12, [-1e4, -3.0, 0.0, 0.4, 1e4]),
            _ => (1e-5, [-1e4, -3.0, 0.0, 0.4, 1e4]),
        };
        let (mean, scale) = (row(&[0.5; 5], dtype), row(&[2.0; 5], dtype));
        let mean = mean.require_grad();
        let loss = gaussian_crps(mean.clone(), scale, row(&values, dtype));
        let gradient = read(&mean.grad(&loss.clone().sum().backward()).unwrap());
        for ((y, found), gradient) in values.iter().zip(read(&loss)).zip(gradient) {
            let z = (y - 0.5) / 2.0;
            let exact = 2.0 * Normal.crps(z);
            assert!((found - exact).abs() <= bound * exact.abs().max(1.0), "{y}");
            let slope = 1.0 - 2.0 * Normal.cdf(z);
            assert!((gradient - slope).abs() <= bound, "{y}: {gradient} {slope}");
        }
    }
}

/// Many levels: the score of the distribution whose quantiles they are. Few, unevenly spread: each
/// counts as many levels as it stands for.
#[test]
fn crps_of_quantiles_approaches_that_of_the_distribution() {
    let levels = |k: usize| Quantile {
        quantiles: (0..k).map(|i| (i as f64 + 0.5) / k as f64).collect(),
    };
    let score = |levels: &Quantile, y: f64| {
        let at = levels.quantiles.iter().map(|q| Normal.quantile(*q));
        let pred = row(&at.collect::<Vec<_>>(), DType::F64).unsqueeze_dim::<2>(0);
        let target = row(&[y], DType::F64).unsqueeze_dim::<2>(0);
        read(&quantile_crps(pred, target, levels))[0]
    };
    for y in [0.0, 0.7, -2.5] {
        assert!(
            (score(&levels(2000), y) - Normal.crps(y)).abs() < 1e-3,
            "{y}"
        );
    }
    let uneven = Quantile {
        quantiles: vec![0.1, 0.5, 0.6],
    };
    let pred = row(&[0.0, 1.0, 2.0], DType::F64).unsqueeze_dim::<2>(0);
    let target = row(&[1.5], DType::F64).unsqueeze_dim::<2>(0);
    // 0.3 · 0.1 · 1.5 + 0.25 · 0.5 · 0.5 + 0.45 · 0.4 · 0.5, twice.
    let found = read(&quantile_crps(pred, target, &uneven))[0];
    assert!(
        (found - 2.0 * (0.045 + 0.0625 + 0.09)).abs() < 1e-12,
        "{found}"
    );
}

#[test]
fn focal_of_gamma_0_is_the_log_loss_and_logits_of_100_are_exact() {
    for dtype in [DType::F64, DType::F32] {
        let bound = if dtype == DType::F64 { 1e-12 } else { 1e-5 };
        let x = row(&[-100.0, -3.0, 0.0, 2.0, 100.0], dtype).require_grad();
        for label in [0.0, 1.0] {
            let t = row(&[label; 5], dtype);
            let plain = read(&binary_cross_entropy(x.clone(), t.clone()));
            assert_eq!(read(&binary_focal(x.clone(), t.clone(), 0.0, None)), plain);
            for gamma in [0.5, 2.0] {
                let loss = binary_focal(x.clone(), t.clone(), gamma, None);
                let gradient = read(&x.grad(&loss.clone().sum().backward()).unwrap());
                assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
                // The same as one of two classes.
                let two = Tensor::stack::<2>(vec![x.zeros_like(), x.clone()], 1);
                let same = read(&focal(two, t.clone(), gamma, None));
                for ((a, b), x) in read(&loss).iter().zip(same).zip(read(&x)) {
                    let sure = if label == 1.0 { x } else { -x };
                    let exact = (-gamma * sure.max(0.0) - gamma * (-sure.abs()).exp().ln_1p())
                        .exp()
                        * ((-sure).max(0.0) + (-sure.abs()).exp().ln_1p());
                    assert!(
                        (a - exact).abs() <= bound * exact.max(1e-30),
                        "{x} {a:e} {exact:e}"
                    );
                    assert!(
                        (b - exact).abs() <= 10.0 * bound * exact.max(1e-3),
                        "{x} {b:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_tail_counts_weights_and_fractions() {
    let losses = [3.0, 1.0, 4.0, 1.5, 9.0, 2.0];
    let cvar = |level: f64, weights: Option<&[f64]>| {
        let weights = weights.map(|w| row(w, DType::F64));
        read(&Cvar { level }.forward(row(&losses, DType::F64), weights))[0]
    };
    let mean = losses.iter().sum::<f64>() / 6.0;
    assert!((cvar(0.0, None) - mean).abs() < 1e-12);
    assert!((cvar(0.5, None) - 16.0 / 3.0).abs() < 1e-12);
    // Of six rows, 1.5 are a quarter: 9 and half of 4.
    assert!((cvar(0.75, None) - (9.0 + 2.0) / 1.5).abs() < 1e-12);
    assert_eq!(cvar(0.999, None), 9.0);
    // A row of weight 2 is two rows; one of weight 0 is none.
    let doubled = cvar(0.5, Some(&[1.0, 1.0, 2.0, 1.0, 0.0, 1.0]));
    assert!((doubled - (4.0 + 4.0 + 3.0) / 3.0).abs() < 1e-12);
    assert_eq!(cvar(0.5, Some(&[0.0; 6])), 0.0);
    let x = row(&losses, DType::F64).require_grad();
    let grads = Cvar { level: 0.75 }.forward(x.clone(), None).backward();
    let exact = [0.0, 0.0, 1.0 / 3.0, 0.0, 2.0 / 3.0, 0.0];
    let found = read(&x.grad(&grads).unwrap());
    assert!(
        found.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-12),
        "{found:?}"
    );
}

/// A batch of equal rows at any scale keeps values and gradients finite.
#[test]
fn residuals_of_1e4_stay_finite() {
    for dtype in [DType::F64, DType::F32] {
        let mean = row(&[1e4, -1e4, 0.0], dtype).require_grad();
        let scale = row(&[1e-4, 1e4, 1.0], dtype).require_grad();
        let target = row(&[-1e4, 1e4, 0.0], dtype);
        let evidence = Evidence {
            mean: mean.clone(),
            nu: scale.clone(),
            alpha: scale.clone().add_scalar(1.0),
            beta: scale.clone(),
        };
        let regulariser = evidence.regulariser(target.clone());
        for (name, loss) in [
            (
                "crps",
                gaussian_crps(mean.clone(), scale.clone(), target.clone()),
            ),
            (
                "beta_nll",
                beta_nll(mean.clone(), scale.clone(), target.clone(), 0.5),
            ),
            ("evidential", evidence.nll(target.clone()).add(regulariser)),
        ] {
            let grads = loss.clone().sum().backward();
            let all = [read(&loss), read(&mean.grad(&grads).unwrap())].concat();
            assert!(
                all.iter().all(|x| x.is_finite()),
                "{name} {dtype:?}: {all:?}"
            );
            let spread = read(&scale.grad(&grads).unwrap());
            assert!(
                spread.iter().all(|x| x.is_finite()),
                "{name} {dtype:?}: {spread:?}"
            );
        }
    }
}

#[test]
fn sums_of_losses_are_read_and_weighed() {
    let loss: LossConfig = "0.25*huber:0.5 + 2*mae".parse().unwrap();
    let (pred, target) = (row(&[1.0, -2.0], DType::F64), row(&[0.0, 1.0], DType::F64));
    let part = |text: &str| {
        let loss: LossConfig = text.parse().unwrap();
        read(&loss.elementwise(pred.clone(), target.clone()))
    };
    let found = read(&loss.elementwise(pred.clone(), target.clone()));
    for ((found, huber), mae) in found.iter().zip(part("huber:0.5")).zip(part("mae")) {
        assert!((found - (0.25 * huber + 2.0 * mae)).abs() < 1e-12);
    }
    let text = serde_json::to_string(&loss).unwrap();
    assert_eq!(serde_json::from_str::<LossConfig>(&text).unwrap(), loss);
    for (text, says) in [
        ("0*huber", "loss.parts[0].weight = 0"),
        ("1*mae + 1*quantile", "loss.parts[1].loss"),
        ("1*mae + huber", "a sum of losses with their weights"),
        ("1*mae + 1*hubert", "one of huber"),
    ] {
        let error = text.parse::<LossConfig>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn weights_reduce_as_repeated_rows_would() {
    let losses = row(&[1.0, 2.0, 6.0], DType::F64);
    let weights = || Some(row(&[2.0, 1.0, 0.0], DType::F64));
    let reduced = |reduction: Reduction| read(&reduction.apply_weighted(losses.clone(), weights()));
    assert_eq!(reduced(Reduction::None), [2.0, 2.0, 0.0]);
    assert_eq!(reduced(Reduction::Sum), [4.0]);
    assert!((reduced(Reduction::Mean)[0] - 4.0 / 3.0).abs() < 1e-12);
    let nothing = Some(row(&[0.0; 3], DType::F64));
    assert_eq!(
        read(&Reduction::Mean.apply_weighted(losses, nothing)),
        [0.0]
    );
}

#[test]
fn weights_outside_their_domain_are_named() {
    assert!(check_weights(&[0.0, 1.0]).is_ok());
    for (bad, says) in [
        (vec![1.0, f64::NAN], "weights[1] = NaN"),
        (vec![-1.0], "weights[0] = -1"),
        (vec![1.0, f64::INFINITY], "weights[1] = inf"),
        (vec![0.0, 0.0], "all 0"),
    ] {
        let error = check_weights(&bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_teacher_is_learnt_from_in_its_share() {
    let logits = || Tensor::<2>::from_data([[0.3, -1.0, 2.0]], &Device::flex());
    let teacher = || Tensor::<2>::from_data([[1.0, 0.0, -1.0]], &Device::flex());
    let class = || Tensor::<1>::from_data([2.0], &Device::flex());
    let with = |weight: f64| {
        let how = Distillation {
            weight,
            temperature: 3.0,
        };
        read(&how.forward(logits(), teacher(), class()))[0]
    };
    assert_eq!(with(0.0), read(&cross_entropy(logits(), class()))[0]);
    assert_eq!(
        with(1.0),
        read(&softened_divergence(logits(), teacher(), 3.0))[0]
    );
    // Who says the same costs nothing, at any temperature.
    assert!(read(&softened_divergence(logits(), logits(), 5.0))[0].abs() < 1e-6);
    for (weight, temperature, says) in [(1.5, 2.0, "weight = 1.5"), (0.5, 0.0, "temperature = 0")] {
        let how = Distillation {
            weight,
            temperature,
        };
        assert!(how.validate().unwrap_err().to_string().contains(says));
    }
}
