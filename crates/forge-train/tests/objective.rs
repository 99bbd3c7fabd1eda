//! What outputs mean.

use forge_nn::Forward;
use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::{GradientCheck, Noise};
use forge_train::loss::{ClassLoss, DistributionLoss};
use forge_train::objective::{
    Binary, ClassWeights, Distribution, Family, Multiclass, Objective, ObjectiveConfig,
    Predictions, Quantiles, Regression, Scale, Targets, Threshold, ThresholdMetric,
};
use proptest::prelude::*;

use crate::case::read;

const ROWS: usize = 7;

/// One objective of every name, sized to more than one target or class, with targets for it.
pub(crate) fn all() -> Vec<(ObjectiveConfig, Targets)> {
    let numbers: Vec<f64> = (0..2 * ROWS).map(|i| (i as f64 * 1.7).sin()).collect();
    let numbers = Targets::new(2, numbers).unwrap();
    let class = |c: usize| {
        let labels = (0..ROWS).map(|i| (i * i % c) as f64);
        Targets::new(1, labels.collect()).unwrap()
    };
    let three = Targets::new(1, vec![0.0, 2.0, 1.0, 2.0, 2.0, 0.0, 2.0]).unwrap();
    [
        ("regression:mse", numbers.clone()),
        ("quantiles:0.05,0.3,0.5,0.95", numbers.clone()),
        ("binary:balanced", class(2)),
        ("multiclass:balanced", three.clone()),
        ("distribution:gaussian", numbers.clone()),
        ("distribution:student_t", numbers.clone()),
        ("bars:5", numbers.clone()),
        ("distribution:crps", numbers.clone()),
        ("distribution:evidential", numbers.clone()),
        ("returns_direction:mse", numbers),
        ("binary:focal", class(2)),
        ("multiclass:focal:1.5", three),
    ]
    .map(|(name, targets)| {
        let mut objective: ObjectiveConfig = name.parse().unwrap();
        objective.fit(&targets).unwrap();
        (objective, targets)
    })
    .into()
}

fn outputs(objective: &ObjectiveConfig, seed: u64) -> TensorData {
    Noise::new(seed).tensor(&[ROWS, objective.d_out()])
}

pub(crate) fn tensor(data: TensorData) -> Tensor<2> {
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

pub(crate) fn target(targets: &Targets) -> Tensor<2> {
    let shape = [targets.rows(), targets.slots()];
    tensor(TensorData::new(targets.values().to_vec(), shape))
}

pub(crate) fn scales(objective: &ObjectiveConfig) -> Vec<Scale> {
    let one = |slot: usize| Scale {
        center: 3.0 - slot as f64,
        scale: 0.5 + 2.0 * slot as f64,
    };
    (0..objective.slots()).map(one).collect()
}

#[test]
fn sizes_follow_the_targets() {
    let found: Vec<_> = all()
        .iter()
        .map(|(o, _)| (o.name(), o.slots(), o.width(), o.n_classes()))
        .collect();
    assert_eq!(
        found,
        [
            ("regression", 2, 1, None),
            ("quantiles", 2, 4, None),
            ("binary", 1, 1, Some(2)),
            ("multiclass", 1, 3, Some(3)),
            ("distribution", 2, 2, None),
            ("distribution", 2, 3, None),
            ("bars", 2, 5, None),
            ("distribution", 2, 2, None),
            ("distribution", 2, 4, None),
            ("returns_direction", 2, 2, None),
            ("binary", 1, 1, Some(2)),
            ("multiclass", 1, 3, Some(3)),
        ]
    );
}

#[test]
fn gradients_of_every_objective_agree_with_differences() {
    for (objective, targets) in all() {
        let y = outputs(&objective, 5);
        GradientCheck::new(&Device::flex())
            .function::<2, 1>(&[y], |y| {
                let target = target(&targets).into_data();
                let target = Tensor::<2>::from_data(target, (&y[0].device(), DType::F64));
                objective.row_losses(y[0].clone(), target)
            })
            .unwrap_or_else(|e| panic!("{objective}: {e}"));
    }
}

#[test]
fn weights_count_rows() {
    for (objective, targets) in all() {
        let forward = |rows: std::ops::Range<usize>| {
            let y = tensor(outputs(&objective, 1)).slice([rows.clone()]);
            (Forward::from(y), target(&targets).slice([rows]))
        };
        let weight = |values: &[f64]| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            Some(Tensor::<1>::from_data(data, (&Device::flex(), DType::F64)))
        };
        let loss = |rows: std::ops::Range<usize>, weights: Option<Tensor<1>>| {
            let (forward, target) = forward(rows);
            read(&objective.loss(&forward, target, weights))[0]
        };
        let close = |a: f64, b: f64, what: &str| {
            assert!(
                (a - b).abs() <= 1e-12 * a.abs().max(1.0),
                "{objective} {what}: {a} {b}"
            );
        };
        let plain = loss(0..ROWS, None);
        close(loss(0..ROWS, weight(&[1.0; ROWS])), plain, "ones");
        close(loss(0..ROWS, weight(&[2.5; ROWS])), plain, "equal weights");
        let mut without_last = [1.0; ROWS];
        without_last[ROWS - 1] = 0.0;
        let shorter = loss(0..ROWS - 1, None);
        close(loss(0..ROWS, weight(&without_last)), shorter, "a row of 0");
        assert!((shorter - plain).abs() > 1e-6, "{objective}");
        close(loss(0..ROWS, weight(&[0.0; ROWS])), 0.0, "nothing");
        let parts = (3.0 * loss(0..3, None) + 4.0 * loss(3..ROWS, None)) / 7.0;
        close(parts, plain, "parts");
        let w = [0.5, 2.0, 0.0, 1.0, 3.0, 0.25, 1.25];
        let total = [&w[..3], &w[3..]].map(|w| w.iter().sum::<f64>());
        let parts = (total[0] * loss(0..3, weight(&w[..3]))
            + total[1] * loss(3..ROWS, weight(&w[3..])))
            / (total[0] + total[1]);
        close(parts, loss(0..ROWS, weight(&w)), "weighted parts");
    }
}

#[test]
fn a_penalty_is_added_once_and_half_precision_is_left() {
    for (objective, targets) in all() {
        let mut forward = Forward::from(tensor(outputs(&objective, 1)));
        let plain = read(&objective.loss(&forward, target(&targets), None))[0];
        let device = Device::flex();
        forward.penalty = Some(Tensor::from_data([0.25], (&device, DType::F32)));
        let with = read(&objective.loss(&forward, target(&targets), None))[0];
        assert!((with - plain - 0.25).abs() < 1e-12, "{objective}");
        let half = forward.y.clone().cast(DType::F16);
        let loss = objective.loss(&Forward::from(half), target(&targets), None);
        assert_eq!(loss.dtype(), DType::F32);
        let found = read(&loss)[0];
        assert!(
            (found - plain).abs() < 1e-2 * plain.abs().max(1.0),
            "{objective}: {found} {plain}"
        );
    }
}

#[test]
fn what_is_minimised_is_what_is_scored() {
    // On identical units the first score of likelihoods and quantiles is the loss itself.
    for (mut objective, targets) in all() {
        let name = match &mut objective {
            // Their losses are none of the scores.
            ObjectiveConfig::Regression(_) | ObjectiveConfig::ReturnsDirection(_) => continue,
            ObjectiveConfig::Binary(o) if o.loss != ClassLoss::CrossEntropy => continue,
            ObjectiveConfig::Multiclass(o) if o.loss != ClassLoss::CrossEntropy => continue,
            ObjectiveConfig::Distribution(o) if o.loss != DistributionLoss::Nll => continue,
            ObjectiveConfig::Distribution(o) if o.family == Family::Evidential => continue,
            ObjectiveConfig::Binary(o) => {
                o.class_weights = ClassWeights::None;
                "log_loss"
            }
            ObjectiveConfig::Multiclass(o) => {
                o.class_weights = ClassWeights::None;
                "log_loss"
            }
            ObjectiveConfig::Quantiles(_) => "pinball",
            ObjectiveConfig::Distribution(_) | ObjectiveConfig::Bars(_) => "nll",
        };
        let y = outputs(&objective, 9);
        let forward = Forward::from(tensor(y.clone()));
        let loss = read(&objective.loss(&forward, target(&targets), None))[0];
        let units = vec![Scale::IDENTITY; objective.slots()];
        let pred = objective.decode(&y.iter::<f64>().collect::<Vec<_>>(), &units);
        let scores = objective.scores(&pred.unwrap(), &targets).unwrap();
        let first = scores.deciding().unwrap();
        assert_eq!(first.name, name);
        assert!(
            (first.value - loss).abs() < 1e-12,
            "{objective}: {} {loss}",
            first.value
        );
    }
}

#[test]
fn predictions_and_scores_are_in_the_targets_units() {
    for (objective, targets) in all() {
        if !objective.is_scaled() {
            continue;
        }
        let y: Vec<f64> = outputs(&objective, 3).iter::<f64>().collect();
        let scales = scales(&objective);
        let own = objective
            .decode(&y, &vec![Scale::IDENTITY; objective.slots()])
            .unwrap();
        let restored = objective.decode(&y, &scales).unwrap();
        assert_eq!(restored.rows(), ROWS);
        for (slot, scale) in scales.iter().enumerate() {
            let moved = own.point_of(slot).into_iter().map(|x| scale.restore(x));
            for (a, b) in moved.zip(restored.point_of(slot)) {
                assert!((a - b).abs() < 1e-12, "{objective}: {a} {b}");
            }
        }
        let columns = [0, 1].map(|slot| -> Vec<f64> {
            let column = targets.column(slot).into_iter();
            column.map(|x| scales[slot].restore(x)).collect()
        });
        let moved = Targets::from_columns(&columns).unwrap();
        let before = objective.scores(&own, &targets).unwrap();
        let after = objective.scores(&restored, &moved).unwrap();
        for (slot, scale) in scales.iter().enumerate() {
            let (s, each) = (scale.scale, before.iter());
            for score in each.filter(|score| score.name.ends_with(&format!(".{slot}"))) {
                if score.name.starts_with("direction") {
                    // 0 is where it was, and means another return now.
                    continue;
                }
                let found = after.get(&score.name).unwrap();
                let expected = match score.name.split('.').next().unwrap() {
                    "nll" => score.value + s.ln(),
                    "r2" => score.value,
                    name if name.starts_with("coverage") => score.value,
                    _ => score.value * s,
                };
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{}: {found} {expected}",
                    score.name
                );
            }
        }
        let first = after.deciding().unwrap();
        let [a, b] = [0, 1].map(|slot| after.get(&format!("{}.{slot}", first.name)).unwrap());
        assert!((first.value - (a + b) / 2.0).abs() < 1e-12);
    }
}

#[test]
fn distributions_have_the_quantiles_they_say() {
    let objective = Distribution {
        family: Family::StudentT,
        ..Distribution::default()
    };
    let scale = Scale {
        center: 10.0,
        scale: 3.0,
    };
    let pred = objective.decode(&[0.5, 0.0, 0.0], &[scale]).unwrap();
    let Predictions::Distribution { mean, std, df, .. } = &pred else {
        panic!("{pred:?}");
    };
    assert_eq!(mean, &[11.5]);
    let n = (3.0_f64.exp() + 1.0).ln() + 2.01;
    assert!((df[0] - n).abs() < 1e-12);
    // An output of 0 is the scale 1 (and the floor).
    let s = 3.0 * 1.0001;
    assert!((std[0] - s * (n / (n - 2.0)).sqrt()).abs() < 1e-9);
    assert_eq!(pred.quantile(0.5).unwrap(), [11.5]);
    let t = forge_train::distribution::StudentT { df: n };
    let upper = pred.quantile(0.9).unwrap()[0];
    assert!((t.cdf((upper - 11.5) / s) - 0.9).abs() < 1e-9);
}

#[test]
fn thresholds_decide_and_are_tuned() {
    let p = |x: f64| (x / (1.0 - x)).ln();
    let outputs: Vec<f64> = [0.1, 0.2, 0.3, 0.35, 0.4, 0.9].map(p).into();
    let targets = Targets::new(1, vec![0.0, 0.0, 1.0, 0.0, 1.0, 1.0]).unwrap();
    let with = |threshold| Binary {
        threshold,
        ..Binary::default()
    };
    let decode = |objective: &Binary| objective.decode(&outputs, &[]).unwrap();
    let half = decode(&Binary::default());
    assert_eq!(half.classes().unwrap(), [0, 0, 0, 0, 0, 1]);
    let low = decode(&with(Threshold::Fixed(0.25)));
    assert_eq!(low.classes().unwrap(), [0, 0, 1, 1, 1, 1]);
    for (metric, value) in [
        // F1: 6/7 from 0.25; 4/5 from 0.375.
        (ThresholdMetric::F1, 0.25),
        // Recalls (1 + 2/3)/2 from 0.25, (2/3 + 1)/2 from 0.375: the one nearer to ½.
        (ThresholdMetric::BalancedAccuracy, 0.375),
    ] {
        let mut objective = with(Threshold::Best(metric));
        objective.tune(&half, &targets).unwrap();
        assert!(
            (objective.threshold.value() - value).abs() < 1e-12,
            "{metric:?}"
        );
        let json = serde_json::to_string(&objective).unwrap();
        assert_eq!(serde_json::from_str::<Binary>(&json).unwrap(), objective);
    }
    let one_class = Targets::new(1, vec![1.0; 6]).unwrap();
    let error = with(Threshold::Best(ThresholdMetric::F1)).tune(&half, &one_class);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("set objective.threshold")
    );
    let scores = Binary::default().scores(&half, &one_class).unwrap();
    assert_eq!(scores.get("auroc"), None);
    assert!(scores.get("log_loss").is_some());
}

#[test]
fn balanced_weights_are_scikit_learns() {
    let targets = Targets::new(1, vec![0.0, 0.0, 0.0, 1.0, 2.0, 2.0]).unwrap();
    let mut objective: ObjectiveConfig = "multiclass:balanced".parse().unwrap();
    objective.fit(&targets).unwrap();
    let ObjectiveConfig::Multiclass(fitted) = &objective else {
        panic!("{objective}");
    };
    let weights = ClassWeights::Given(vec![6.0 / 9.0, 2.0, 1.0]);
    assert_eq!(fitted.class_weights, weights);
    // A row's loss is its class's weight times that without weights.
    let y = tensor(Noise::new(1).tensor(&[6, 3]));
    let plain = Multiclass {
        n_classes: 3,
        ..Multiclass::default()
    };
    let weighted = read(&objective.row_losses(y.clone(), target(&targets)));
    let plain = read(&plain.row_losses(y, target(&targets)));
    for ((a, b), t) in weighted.iter().zip(plain).zip(targets.values()) {
        let w = [6.0 / 9.0, 2.0, 1.0][*t as usize];
        assert!((a - w * b).abs() < 1e-12);
    }
}

/// Two classes by one logit or by two are the same, smoothed or not; and a file states no smoothing
/// where there is none.
#[test]
fn smoothing_spreads_a_part_of_a_label_over_the_classes() {
    let label_smoothing = 0.1;
    let one = Binary {
        label_smoothing,
        ..Binary::default()
    };
    let two = Multiclass {
        label_smoothing,
        ..Multiclass::default()
    };
    let targets = Targets::new(1, (0..ROWS).map(|i| (i % 2) as f64).collect()).unwrap();
    let logit = Noise::new(1).tensor(&[ROWS, 1]);
    let zero = TensorData::zeros::<f64, _>([ROWS, 1]);
    let logits = Tensor::cat(vec![tensor(zero), tensor(logit.clone())], 1);
    let a = read(&one.row_losses(tensor(logit.clone()), target(&targets)));
    let b = read(&two.row_losses(logits, target(&targets)));
    for (((a, b), x), t) in a
        .iter()
        .zip(&b)
        .zip(logit.iter::<f64>())
        .zip(targets.values())
    {
        let [t, p] = [0.9 * t + 0.05, 1.0 / (1.0 + (-x).exp())];
        let expected = -t * p.ln() - (1.0 - t) * (1.0 - p).ln();
        assert!((a - expected).abs() < 1e-12 && (b - expected).abs() < 1e-12);
    }
    let json = |objective: ObjectiveConfig| serde_json::to_string(&objective).unwrap();
    assert!(json(ObjectiveConfig::Multiclass(two)).contains("label_smoothing"));
    assert!(!json("binary".parse().unwrap()).contains("label_smoothing"));
}

#[test]
fn settings_round_trip_and_nonsense_is_refused() {
    for (objective, _) in all() {
        let json = serde_json::to_string(&objective).unwrap();
        assert!(json.starts_with("{\"name\":"), "{json}");
        let read: ObjectiveConfig = serde_json::from_str(&json).unwrap();
        assert_eq!(read, objective);
        let unknown = format!("{},\"x\":1}}", json.strip_suffix('}').unwrap());
        assert!(serde_json::from_str::<ObjectiveConfig>(&unknown).is_err());
    }
    let read = |json: &str| serde_json::from_str::<ObjectiveConfig>(json).unwrap();
    assert_eq!(
        read(r#"{"name": "binary", "class_weights": "balanced", "threshold": "youden"}"#),
        ObjectiveConfig::Binary(Binary {
            class_weights: ClassWeights::Balanced,
            threshold: Threshold::Best(ThresholdMetric::BalancedAccuracy),
            ..Binary::default()
        })
    );
    assert_eq!(
        read(r#"{"name": "regression", "loss": {"name": "huber", "delta": 0.5}}"#),
        "regression:huber:0.5".parse().unwrap()
    );
    for name in ObjectiveConfig::NAMES {
        let objective: ObjectiveConfig = name.parse().unwrap();
        assert_eq!(objective.to_string(), name);
        objective.validate().unwrap();
    }
    for (text, part) in [
        ("regressor", "one of regression, quantiles"),
        ("regression:quantile", "use the objective 'quantiles'"),
        ("regression:huber:-1", "loss.delta = -1"),
        ("quantiles:0.9,0.1", "objective.quantiles[1] = 0.1"),
        ("quantiles:0,0.1", "objective.quantiles[0] = 0"),
        ("quantiles:a", "numbers after the colon"),
        ("binary:3", "none, balanced, cross_entropy or focal"),
        ("distribution:cauchy", "gaussian, student_t, evidential"),
    ] {
        let error = text.parse::<ObjectiveConfig>().unwrap_err();
        assert!(error.is_config());
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    for (json, part) in [
        (
            r#"{"name": "binary", "threshold": 1.0}"#,
            "objective.threshold = 1",
        ),
        (
            r#"{"name": "binary", "threshold": 0.0}"#,
            "objective.threshold = 0",
        ),
        (
            r#"{"name": "binary", "class_weights": [1.0]}"#,
            "class_weights.len = 1",
        ),
        (
            r#"{"name": "binary", "class_weights": [1.0, 0.0]}"#,
            "class_weights[1] = 0",
        ),
        (
            r#"{"name": "multiclass", "n_classes": 1}"#,
            "objective.n_classes = 1",
        ),
        (
            r#"{"name": "distribution", "targets": 0}"#,
            "objective.targets = 0",
        ),
        (
            r#"{"name": "binary", "label_smoothing": 1.0}"#,
            "objective.label_smoothing = 1",
        ),
        (
            r#"{"name": "multiclass", "label_smoothing": -0.1}"#,
            "objective.label_smoothing = -0.1",
        ),
    ] {
        let error = read(json).validate().unwrap_err().to_string();
        assert!(error.contains(part), "{json}: {error}");
    }
    for text in ["0", "1", "1.5", "nan", "f2"] {
        let error = text.parse::<Threshold>().unwrap_err().to_string();
        assert!(
            error.contains("above 0 and below 1, or one of f1"),
            "{error}"
        );
    }
}

#[test]
fn targets_that_do_not_suit_are_refused() {
    let fit = |name: &str, values: &[f64]| {
        let mut objective: ObjectiveConfig = name.parse().unwrap();
        let targets = Targets::new(1, values.to_vec()).unwrap();
        objective.fit(&targets).unwrap_err().to_string()
    };
    for (name, values, part) in [
        (
            "binary",
            &[1.0, 1.0][..],
            "all 2 training rows are of class 1",
        ),
        (
            "binary",
            &[0.0, 2.0],
            "row 1 is 2; classes are numbered 0..2",
        ),
        ("binary", &[0.0, 0.5], "row 1 is 0.5"),
        (
            "multiclass",
            &[0.0, 2.0, 0.0],
            "class 1 of 0..3 has no training row",
        ),
        (
            "multiclass",
            &[0.0, 0.0],
            "needs rows of at least two classes",
        ),
        ("multiclass", &[0.0, -1.0], "row 1 is -1"),
    ] {
        let error = fit(name, values);
        assert!(error.contains(part), "{name} {values:?}: {error}");
    }
    let columns = [vec![1.0, 2.0], vec![1.0]];
    let error = Targets::from_columns(&columns).unwrap_err();
    assert!(error.is_shape());
    assert!(
        error
            .to_string()
            .contains("target column 1 is 1 rows, expected the 2 of column 0")
    );
    let error = Targets::new(2, vec![1.0, f64::NAN])
        .unwrap_err()
        .to_string();
    assert!(error.contains("target column 1, row 0: NaN"), "{error}");
    assert!(Targets::new(1, vec![]).unwrap_err().is_shape());
    let two = Targets::new(2, vec![0.0, 1.0]).unwrap();
    let error = Binary::default().fit(&two).unwrap_err().to_string();
    assert!(error.contains("one classifier per target"), "{error}");
}

#[test]
fn outputs_and_predictions_that_do_not_fit_are_refused() {
    for (objective, targets) in all() {
        let mut y: Vec<f64> = outputs(&objective, 1).iter::<f64>().collect();
        let scales = scales(&objective);
        let pred = objective.decode(&y, &scales).unwrap();
        let fewer = Targets::new(
            targets.slots(),
            targets.values()[targets.slots()..].to_vec(),
        );
        assert!(
            objective
                .scores(&pred, &fewer.unwrap())
                .unwrap_err()
                .is_shape()
        );
        let other = Predictions::Values {
            slots: 1,
            values: vec![0.0; ROWS],
        };
        let error = objective.scores(&other, &targets).unwrap_err();
        assert!(error.is_unsupported() || error.is_shape(), "{error}");
        y.push(f64::NAN);
        if objective.d_out() > 1 {
            assert!(
                objective.decode(&y, &scales).unwrap_err().is_shape(),
                "{objective}"
            );
        }
        y.resize(ROWS * objective.d_out() + objective.d_out(), 0.0);
        y[ROWS * objective.d_out()] = f64::NAN;
        let error = objective.decode(&y, &scales).unwrap_err().to_string();
        assert!(error.contains("output for row 7 is NaN"), "{error}");
        if objective.is_scaled() {
            y.truncate(objective.d_out());
            assert!(objective.decode(&y, &[]).unwrap_err().is_shape());
        }
    }
    let values = Predictions::Values {
        slots: 1,
        values: vec![0.0],
    };
    assert!(values.quantile(0.5).unwrap_err().is_unsupported());
    let quantiles = Quantiles::default()
        .decode(&[0.0; 3], &[Scale::IDENTITY])
        .unwrap();
    let error = quantiles.quantile(0.25).unwrap_err().to_string();
    assert!(
        error.contains("one that was trained: 0.1, 0.5, 0.9"),
        "{error}"
    );
    assert!(quantiles.quantile(1.0).unwrap_err().is_config());
}

#[test]
fn ensembles_average_and_disagreement_spreads() {
    for (objective, _) in all() {
        let decode = |seed| {
            let y: Vec<f64> = outputs(&objective, seed).iter::<f64>().collect();
            objective.decode(&y, &scales(&objective)).unwrap()
        };
        let (a, b) = (decode(1), decode(2));
        let same = Predictions::average(&[a.clone(), a.clone()]).unwrap();
        let both = Predictions::average(&[a.clone(), b.clone()]).unwrap();
        if let (Some(same), Some(own)) = (same.std(), a.std()) {
            assert!(
                same.iter()
                    .zip(own.iter())
                    .all(|(x, y)| (x - y).abs() < 1e-12 * y)
            );
            let (a, b) = (a.std().unwrap(), b.std().unwrap());
            let both = both.std().unwrap();
            let wider = both.iter().zip(a.iter().zip(b.iter()));
            for (x, (a, b)) in wider {
                assert!(*x > a.min(*b));
            }
        }
        if objective.is_scaled() {
            let means = a
                .point()
                .into_iter()
                .zip(b.point())
                .map(|(a, b)| (a + b) / 2.0);
            for (mean, found) in means.zip(both.point()) {
                assert!((mean - found).abs() < 1e-12);
            }
        } else {
            let rows = both
                .probabilities()
                .unwrap()
                .chunks_exact(objective.n_classes().unwrap());
            rows.for_each(|p| assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        }
        let fewer = objective.decode(&vec![0.0; objective.d_out()], &scales(&objective));
        let error = Predictions::average(&[a, fewer.unwrap()]).unwrap_err();
        assert!(
            error.is_shape() && error.to_string().contains("member 1"),
            "{error}"
        );
    }
    assert!(Predictions::average(&[]).unwrap_err().is_shape());
    // Two means 2 apart with deviation 0 are a deviation of 1.
    let at = |mean: f64| Predictions::Distribution {
        slots: 1,
        family: Family::Gaussian,
        mean: vec![mean],
        std: vec![0.0],
        df: vec![],
        epistemic: vec![],
    };
    let both = Predictions::average(&[at(5.0), at(7.0)]).unwrap();
    assert_eq!(both.point(), [6.0]);
    assert_eq!(both.std().unwrap()[..], [1.0]);
    let broken = Predictions::Distribution {
        slots: 1,
        family: Family::StudentT,
        mean: vec![0.0],
        std: vec![1.0],
        df: vec![],
        epistemic: vec![],
    };
    assert!(broken.validate().unwrap_err().is_shape());
}

/// The mean is the point, any quantile can be asked for, and a target that never varied is itself.
#[test]
fn buckets_say_mean_and_quantiles() {
    let values: Vec<f64> = (0..40).map(|i| f64::from(i * i % 41)).collect();
    let targets = Targets::new(1, values).unwrap();
    let mut objective: ObjectiveConfig = "bars:4".parse().unwrap();
    let zeros = objective.decode(&[0.0; 4], &[Scale::IDENTITY]).unwrap_err();
    assert!(zeros.to_string().contains("borders"), "{zeros}");
    objective.fit(&targets).unwrap();
    let fitted = objective.clone();
    objective
        .fit(&Targets::new(1, vec![0.0, 1.0, 5.0, 9.0]).unwrap())
        .unwrap();
    assert_eq!(objective, fitted, "borders that are there stay");
    let scale = Scale {
        center: 10.0,
        scale: 2.0,
    };
    // All of the second row's probability is in the second bucket.
    let outputs = [0.0, 0.0, 0.0, 0.0, 0.0, 900.0, 0.0, 0.0];
    let mut pred = objective.decode(&outputs, &[scale]).unwrap();
    let Predictions::Bars { borders, .. } = &pred else {
        panic!("{pred:?}");
    };
    let borders = borders[0].borders().to_vec();
    let middle = borders[1].midpoint(borders[2]);
    assert!((pred.point()[1] - middle).abs() < 1e-9);
    assert!((pred.quantile(0.5).unwrap()[1] - middle).abs() < 1e-9);
    assert!((pred.quantile(0.25).unwrap()[0] - borders[1]).abs() < 1e-9);
    assert!(pred.quantile(0.1).unwrap()[0] < pred.quantile(0.9).unwrap()[0]);
    assert_eq!(pred.shown_quantiles(), [0.1, 0.5, 0.9]);
    pred.pin(0, 7.0);
    assert_eq!(pred.point(), [7.0; 2]);
    assert_eq!(pred.quantile(0.9).unwrap(), [7.0; 2]);
    // Targets of two values have two buckets; of one, some all the same.
    for (values, buckets) in [([1.0, 2.0, 1.0, 2.0], 2), ([2.0; 4], 6)] {
        let mut coarse: ObjectiveConfig = "bars:6".parse().unwrap();
        coarse
            .fit(&Targets::new(1, values.to_vec()).unwrap())
            .unwrap();
        assert_eq!(coarse.d_out(), buckets);
    }
    for (text, part) in [
        ("bars:1", "objective.buckets = 1"),
        ("bars:x", "number of buckets"),
    ] {
        let error = text.parse::<ObjectiveConfig>().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
#[should_panic(expected = "outputs have shape [3, 2], targets [3, 1]; they must be [B, 1]")]
fn shapes_are_not_broadcast() {
    let zeros = |shape: [usize; 2]| Tensor::<2>::zeros(shape, &Device::flex());
    let _ = Regression::default().row_losses(zeros([3, 2]), zeros([3, 1]));
}

proptest! {
    #[test]
    fn quantiles_never_cross(
        outputs in prop::collection::vec(prop_oneof![-3.0..3.0_f64, -1e4..1e4_f64, -1e30..1e30_f64], 10),
        scale in 1e-6..1e6_f64,
        center in -1e6..1e6_f64,
    ) {
        let objective = Quantiles {
            quantiles: vec![0.1, 0.3, 0.5, 0.8, 0.95],
            targets: 2,
            ..Quantiles::default()
        };
        let scales = [Scale { center, scale }; 2];
        let Predictions::Quantiles { values, .. } = objective.decode(&outputs, &scales).unwrap() else {
            panic!();
        };
        for levels in values.chunks_exact(5) {
            prop_assert!(levels.windows(2).all(|w| w[0] <= w[1]), "{:?}", levels);
        }
        let free = Quantiles { non_crossing: false, ..objective };
        let Predictions::Quantiles { values, .. } = free.decode(&outputs, &[Scale::IDENTITY; 2]).unwrap() else {
            panic!();
        };
        prop_assert_eq!(values, outputs);
    }

    #[test]
    fn probabilities_sum_to_one(
        outputs in prop::collection::vec(prop_oneof![-3.0..3.0_f64, -1e4..1e4_f64, -1e300..1e300_f64], 12),
    ) {
        let three = Multiclass { n_classes: 3, ..Multiclass::default() };
        for pred in [three.decode(&outputs, &[]), Binary::default().decode(&outputs, &[])] {
            let pred = pred.unwrap();
            let p = pred.probabilities().unwrap();
            for row in p.chunks_exact(p.len() / pred.rows()) {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
    }
}
