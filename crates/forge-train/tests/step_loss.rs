//! Losses that look at a teacher, at the worst rows, or at numbers that move.

use forge_nn::Forward;
use forge_nn::burn::tensor::{DType, Device, Tensor, TensorData};
use forge_testkit::{GradientCheck, Noise};
use forge_train::StepContext;
use forge_train::loss::{Distillation, DistributionLoss};
use forge_train::objective::{
    Distribution, DualWeight, EvidenceWeight, Family, LearnedWeights, LossInput, MovingNumbers,
    Objective, ObjectiveConfig, Predictions, Regression, ReturnsDirection, Scale,
    SpreadPredictions, Targets, TaskWeights,
};

use crate::case::read;
use crate::objective::{all, scales, target, tensor};

fn outputs(objective: &ObjectiveConfig, rows: usize, seed: u64) -> Tensor<2> {
    tensor(Noise::new(seed).tensor(&[rows, objective.d_out()]))
}

/// The teacher's values of a network's outputs, as a tensor.
fn said(objective: &ObjectiveConfig, outputs: &Tensor<2>) -> Tensor<2> {
    let teacher = objective.decode(&read(outputs), &scales(objective));
    heard(objective, &teacher.unwrap())
}

/// What a student hears of a teacher.
fn heard(student: &ObjectiveConfig, teacher: &Predictions) -> Tensor<2> {
    let values = student.teacher_values(teacher, &scales(student)).unwrap();
    let rows = teacher.rows();
    let width = values.len() / rows;
    tensor(TensorData::new(values, [rows, width]))
}

fn family(objective: &ObjectiveConfig) -> Option<Family> {
    match objective {
        ObjectiveConfig::Distribution(distribution) => Some(distribution.family),
        _ => None,
    }
}

/// Whatever the families, a student loses by its teacher what it loses on average over what the teacher
/// thinks may happen, but for a number that does not depend on the student.
#[test]
fn students_of_distributions_learn_the_teachers() {
    let targets = (0..14).map(|i| (f64::from(i) * 1.7).sin()).collect();
    let targets = Targets::new(2, targets).unwrap();
    let of = |name: &str| {
        let mut objective: ObjectiveConfig = name.parse().unwrap();
        objective.fit(&targets).unwrap();
        objective
    };
    let names = [
        "distribution:gaussian",
        "distribution:student_t",
        "distribution:evidential",
        "bars:5",
    ];
    let rows = 3;
    for teacher in names {
        let by = of(teacher);
        let said = outputs(&by, rows, 3);
        let said = by.decode(&read(&said), &scales(&by)).unwrap();
        for student in names {
            let objective = of(student);
            // The outer buckets' tails are in the moments of a teacher of buckets, not in its quantiles.
            if teacher == "bars:5" && student == "distribution:gaussian" {
                continue;
            }
            let teacher_values = heard(&objective, &said);
            let scales = scales(&objective);
            let [one, other] = [7, 8].map(|seed| outputs(&objective, rows, seed));
            let soft = |y: &Tensor<2>| {
                read(&objective.teacher_losses(y.clone(), teacher_values.clone(), 2.0))
            };
            let steps = 4000;
            let (mut expected, mut whole) = (vec![0.0; rows], 0.0);
            for step in 0..steps {
                let v = (f64::from(step) + 0.5) / f64::from(steps);
                // More points where the tails are.
                let (level, weight) = (v * v * (3.0 - 2.0 * v), 6.0 * v * (1.0 - v));
                let y = said.quantile(level).unwrap().into_iter().enumerate();
                let y = y.map(|(at, y)| scales[at % 2].standardise(y));
                let y = tensor(TensorData::new(y.collect::<Vec<f64>>(), [rows, 2]));
                let losses = |of: &Tensor<2>| read(&objective.row_losses(of.clone(), y.clone()));
                for (at, (one, other)) in losses(&one).iter().zip(losses(&other)).enumerate() {
                    expected[at] += weight * (one - other);
                }
                whole += weight;
            }
            for (at, (one, other)) in soft(&one).iter().zip(soft(&other)).enumerate() {
                let (found, expected) = (one - other, expected[at] / whole);
                // Twelve points do not see every edge of a few coarse buckets.
                let bound = if teacher == "bars:5" { 0.06 } else { 0.01 };
                let bound = bound * expected.abs().max(1.0);
                assert!(
                    (found - expected).abs() < bound,
                    "{student} by {teacher}, row {at}: {found} for {expected}"
                );
            }
        }
    }
}

/// A teacher of buckets teaches a normal distribution its mean and spread.
#[test]
fn a_normal_student_takes_the_moments_of_buckets() {
    let student: ObjectiveConfig = "distribution:gaussian".parse().unwrap();
    let (bars, _) = all().into_iter().find(|(o, _)| o.name() == "bars").unwrap();
    let y = outputs(&bars, 4, 3);
    let teacher = bars.decode(&read(&y), &scales(&bars)).unwrap();
    let mut student = student;
    student
        .fit(&Targets::new(2, vec![0.0, 1.0, 1.0, 0.0]).unwrap())
        .unwrap();
    let values = read(&heard(&student, &teacher));
    let (mean, std) = (teacher.point(), teacher.std().unwrap());
    for (at, pair) in values.chunks(2).enumerate() {
        let scale = &scales(&student)[at % 2];
        assert_eq!(pair[0], scale.standardise(mean[at]));
        assert_eq!(pair[1], std[at] / scale.scale);
    }
}

#[test]
fn a_student_that_says_what_its_teacher_says_has_nothing_to_learn() {
    for (objective, targets) in all() {
        let rows = targets.rows();
        let y = outputs(&objective, rows, 3);
        let teacher = said(&objective, &y);
        let of = |y: Tensor<2>| read(&objective.teacher_losses(y, teacher.clone(), 2.0));
        let (own, other) = (of(y.clone()), of(outputs(&objective, rows, 8)));
        match family(&objective) {
            // No divergence: the teacher's entropy is left out.
            Some(Family::StudentT) => {
                assert!(
                    own.iter()
                        .zip(&other)
                        .all(|(own, other)| own + 1e-4 < *other)
                );
            }
            // Nor the least there is: the regulariser asks for less evidence.
            Some(Family::Evidential) => {}
            _ => {
                assert!(own.iter().all(|l| l.abs() < 1e-9), "{objective}: {own:?}");
                assert!(other.iter().all(|l| *l > 1e-4), "{objective}: {other:?}");
            }
        }
        // Gradients, by differences.
        GradientCheck::new(&Device::flex())
            .function::<2, 1>(&[outputs(&objective, rows, 8).into_data()], |y| {
                let teacher = teacher.to_data();
                let teacher = Tensor::<2>::from_data(teacher, (&y[0].device(), DType::F64));
                objective.teacher_losses(y[0].clone(), teacher, 2.0)
            })
            .unwrap_or_else(|e| panic!("{objective}: {e}"));
        // In its share of the loss, members each by themselves.
        let how = |weight| Distillation {
            weight,
            ..Distillation::default()
        };
        let step = |forward: &Forward, weight| {
            let input = LossInput {
                teacher: Some((teacher.clone(), how(weight))),
                ..LossInput::new(target(&targets))
            };
            read(&objective.step_loss(forward, input).loss)[0]
        };
        let members = [8, 9].map(|seed| outputs(&objective, rows, seed));
        let each = members.clone().map(|y| step(&y.into(), 0.3));
        let both = Forward::of_members(Tensor::stack(members.to_vec(), 1));
        let mean = 0.5 * (each[0] + each[1]);
        assert!((step(&both, 0.3) - mean).abs() < 1e-9, "{objective}");
        let alone = read(&objective.loss(&both, target(&targets), None))[0];
        assert!((step(&both, 0.0) - alone).abs() < 1e-12, "{objective}");
    }
}

#[test]
fn a_teacher_of_another_kind_is_refused() {
    let scale = [Scale::IDENTITY];
    let classes = Predictions::Probabilities {
        n_classes: 2,
        threshold: None,
        values: vec![0.5, 0.5],
    };
    for name in [
        "regression",
        "quantiles",
        "distribution",
        "returns_direction",
    ] {
        let objective: ObjectiveConfig = name.parse().unwrap();
        let error = objective.teacher_values(&classes, &scale).unwrap_err();
        assert!(
            error.to_string().contains("probabilities"),
            "{name}: {error}"
        );
    }
    let values = Predictions::Values {
        slots: 2,
        values: vec![0.0, 1.0],
    };
    for name in [
        "binary",
        "multiclass",
        "quantiles",
        "distribution",
        "distribution:student_t",
        "distribution:evidential",
    ] {
        let objective: ObjectiveConfig = name.parse().unwrap();
        assert!(objective.teacher_values(&values, &scale).is_err(), "{name}");
    }
    let error = Regression::default().teacher_values(&values, &scale);
    assert!(error.unwrap_err().is_shape());
    // The way out is said.
    let mut bars: ObjectiveConfig = "bars:5".parse().unwrap();
    let targets = (0..20).map(|i| f64::from(i).sin()).collect();
    bars.fit(&Targets::new(1, targets).unwrap()).unwrap();
    let error = bars.teacher_values(&values, &scale).unwrap_err();
    assert!(
        error.to_string().contains("train the teacher with"),
        "{error}"
    );
}

#[test]
fn a_tail_is_taken_of_the_whole_batch() {
    let objective = Regression {
        cvar: 0.5,
        ..Regression::default()
    };
    assert!(objective.rows_interact() && !Regression::default().rows_interact());
    let y = tensor(TensorData::new(vec![1.0, 2.0, 3.0, 8.0], [4, 1]));
    let zeros = tensor(TensorData::zeros::<f64, _>([4, 1]));
    let loss = read(&objective.loss(&y.into(), zeros, None))[0];
    assert!((loss - (2.5 + 7.5) / 2.0).abs() < 1e-12, "{loss}");
    let bad = Regression {
        cvar: 1.0,
        ..Regression::default()
    };
    assert!(
        bad.validate()
            .unwrap_err()
            .to_string()
            .contains("objective.cvar = 1")
    );
}

fn evidential(weight: EvidenceWeight) -> Distribution {
    Distribution {
        family: Family::Evidential,
        evidence_weight: Some(weight),
        ..Distribution::default()
    }
}

#[test]
fn the_factor_of_evidence_follows_its_rule() {
    let dual = DualWeight {
        rate: 0.5,
        allowed: 0.01,
    };
    let objective = evidential(EvidenceWeight::Dual(dual));
    let (device, y) = (Device::flex(), tensor(Noise::new(1).tensor(&[6, 4])));
    let zeros = || tensor(TensorData::zeros::<f64, _>([6, 1]));
    let mut numbers = MovingNumbers::of(&objective, &device);
    assert_eq!(numbers.values().unwrap(), [0.0]);
    let at = StepContext::new(&device);
    let fixed = |weight: f64| {
        let objective = evidential(EvidenceWeight::Fixed(weight));
        read(&objective.loss(&y.clone().into(), zeros(), None))[0]
    };
    let wrong = fixed(1.0) - fixed(0.0);
    let mut expected = 0.0;
    for step in 0..3 {
        let at = at.at(0, step);
        // In two parts of unequal size: moved once, by the mean over all rows.
        for (rows, weight) in [(0..2, 2.0), (2..6, 4.0)] {
            let input = LossInput {
                moving: numbers.on(&device),
                ..LossInput::new(zeros().slice([rows.clone()]))
            };
            let part = objective.step_loss(&y.clone().slice([rows]).into(), input);
            numbers.observe(part.statistics, weight, &at);
        }
        numbers.step(&objective);
        expected += 0.5 * (wrong - 0.01);
        let found = numbers.values().unwrap()[0];
        assert!(
            (found - expected).abs() < 1e-5 * expected,
            "{found} {expected}"
        );
    }
    // It counts in the loss.
    let input = LossInput {
        moving: numbers.on(&device),
        ..LossInput::new(zeros())
    };
    let loss = read(&objective.step_loss(&y.clone().into(), input).loss)[0];
    assert!((loss - fixed(expected)).abs() < 1e-5 * loss.abs().max(1.0));
    // A step that was skipped moves nothing, and the state comes back.
    let mut again = MovingNumbers::of(&objective, &device);
    again.restore(numbers.state().unwrap()).unwrap();
    assert_eq!(again.values().unwrap(), numbers.values().unwrap());
    let other = MovingNumbers::of(&Regression::default(), &device)
        .state()
        .unwrap();
    assert!(again.restore(other).is_err());
    // Never below 0.
    let none = Tensor::<1>::zeros([1], &device);
    assert_eq!(read(&objective.moved(none.clone(), none)), [0.0]);
}

#[test]
fn learnt_weights_end_where_the_noise_is() {
    let objective = ReturnsDirection {
        weights: TaskWeights::Learned(LearnedWeights { rate: 0.5 }),
        loss: "mse".parse().unwrap(),
        ..ReturnsDirection::default()
    };
    let device = Device::flex();
    let mut numbers = MovingNumbers::of(&objective, &device);
    // Returns that are off by 0.1, directions by even odds.
    let y = tensor(TensorData::new(vec![0.1, 0.0, 0.9, 0.0], [2, 2]));
    let truth = || tensor(TensorData::new(vec![0.0, 1.0], [2, 1]));
    for step in 0..200 {
        let input = LossInput {
            moving: numbers.on(&device),
            ..LossInput::new(truth())
        };
        let part = objective.step_loss(&y.clone().into(), input);
        numbers.observe(part.statistics, 2.0, &StepContext::new(&device).at(0, step));
        numbers.step(&objective);
    }
    let found = numbers.values().unwrap();
    let expected = [0.01_f64.ln(), (2.0 * 2.0_f64.ln()).ln()];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    }
}

#[test]
fn directions_are_those_of_the_targets_own_zero() {
    let mut objective = ReturnsDirection {
        weights: TaskWeights::Fixed([0.0, 1.0]),
        ..ReturnsDirection::default()
    };
    let targets = Targets::new(1, vec![0.0, 0.5, -3.0]).unwrap();
    objective.fit(&targets).unwrap();
    let scale = Scale {
        center: -2.0,
        scale: 0.5,
    };
    objective.fit_scales(&[scale]).unwrap();
    // Sure of down, up, down: right for all three, 0 being down.
    let y = tensor(TensorData::new(
        vec![0.0, -50.0, 0.0, 50.0, 0.0, -50.0],
        [3, 2],
    ));
    let standardised = targets.values().iter().map(|y| scale.standardise(*y));
    let truth = tensor(TensorData::new(standardised.collect::<Vec<_>>(), [3, 1]));
    let losses = read(&objective.row_losses(y.clone(), truth));
    assert!(losses.iter().all(|l| *l < 1e-12), "{losses:?}");
    let pred = objective.decode(&read(&y), &[scale]).unwrap();
    assert_eq!(pred.point(), [-2.0; 3]);
    let up = pred.up().unwrap();
    assert!(up[0] < 1e-12 && up[1] > 1.0 - 1e-12);
    let scores = objective.scores(&pred, &targets).unwrap();
    assert_eq!(scores.get("direction_accuracy"), Some(1.0));
    assert!(scores.get("direction_log_loss").unwrap() < 1e-9);
    assert_eq!(scores.deciding().unwrap().name, "rmse");
    // Numbers alone, as baselines say them.
    let plain = Predictions::Values {
        slots: 1,
        values: vec![-1.0, 1.0, 1.0],
    };
    let scores = objective.scores(&plain, &targets).unwrap();
    let right = scores.get("direction_accuracy").unwrap();
    assert!((right - 2.0 / 3.0).abs() < 1e-12);
    // Where its zero lies is kept with it.
    let text =
        serde_json::to_string(&ObjectiveConfig::ReturnsDirection(objective.clone())).unwrap();
    let again: ObjectiveConfig = serde_json::from_str(&text).unwrap();
    assert_eq!(again, ObjectiveConfig::ReturnsDirection(objective));
}

#[test]
fn evidence_tells_its_spread_apart() {
    let objective = evidential(EvidenceWeight::default());
    let scale = Scale {
        center: 1.0,
        scale: 10.0,
    };
    let pred = objective.decode(&[0.2, 1.0, 0.5, -1.0], &[scale]).unwrap();
    let soft = |x: f64| x.exp().ln_1p();
    let (nu, spare, beta) = (soft(1.0) + 1e-4, soft(0.5) + 0.005, soft(-1.0) + 1e-8);
    let aleatoric = 10.0 * (beta / spare).sqrt();
    let epistemic = aleatoric / nu.sqrt();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a} {b}");
    close(pred.point()[0], 3.0);
    close(pred.aleatoric().unwrap()[0], aleatoric);
    close(pred.epistemic().unwrap()[0], epistemic);
    close(pred.std().unwrap()[0], aleatoric.hypot(epistemic));
    // The score is the loss without the regulariser, in the target's units.
    let y = tensor(TensorData::new(vec![0.2, 1.0, 0.5, -1.0], [1, 4]));
    let truth = tensor(TensorData::new(vec![-0.7], [1, 1]));
    let nll = evidential(EvidenceWeight::Fixed(0.0)).row_losses(y, truth);
    let targets = Targets::new(1, vec![scale.restore(-0.7)]).unwrap();
    let score = objective
        .scores(&pred, &targets)
        .unwrap()
        .get("nll")
        .unwrap();
    close(score, read(&nll)[0] + 10.0_f64.ln());
}

#[test]
fn passes_become_mean_and_spread() {
    let values = |values: [f64; 2]| Predictions::Values {
        slots: 2,
        values: values.to_vec(),
    };
    let said = SpreadPredictions::of(&[values([1.0, 5.0]), values([3.0, 5.0])]).unwrap();
    assert_eq!(said.mean.point(), [2.0, 5.0]);
    assert_eq!(
        (said.spread_of(0), said.spread_of(1)),
        (vec![1.0], vec![0.0])
    );
    let classes = |p: f64| Predictions::Probabilities {
        n_classes: 2,
        threshold: None,
        values: vec![1.0 - p, p],
    };
    let said = SpreadPredictions::of(&[classes(0.2), classes(0.6)]).unwrap();
    assert!(said.spread.iter().all(|s| (s - 0.2).abs() < 1e-12));
    // Of distributions, the members' own spread is apart from that between them.
    let normal = |mean: f64| Predictions::Distribution {
        slots: 1,
        family: Family::Gaussian,
        mean: vec![mean],
        std: vec![3.0],
        df: vec![],
        epistemic: vec![],
    };
    let both = Predictions::average(&[normal(-4.0), normal(4.0)]).unwrap();
    assert_eq!(both.epistemic().unwrap(), [4.0]);
    assert!((both.aleatoric().unwrap()[0] - 3.0).abs() < 1e-12);
    assert_eq!(both.std().unwrap()[..], [5.0]);
    assert!(normal(0.0).epistemic().is_none());
}

#[test]
fn settings_that_do_not_go_together_are_named() {
    for (json, says) in [
        (
            r#"{"name":"binary","loss":{"name":"focal"},"label_smoothing":0.1}"#,
            "label_smoothing = 0.1",
        ),
        (
            r#"{"name":"multiclass","loss":{"name":"focal","gamma":-1.0}}"#,
            "gamma = -1",
        ),
        (
            r#"{"name":"distribution","family":"student_t","loss":{"name":"crps"}}"#,
            "objective.loss = crps",
        ),
        (
            r#"{"name":"distribution","loss":{"name":"beta_nll","beta":2.0}}"#,
            "loss.beta = 2",
        ),
        (
            r#"{"name":"distribution","evidence_weight":0.1}"#,
            "objective.evidence_weight",
        ),
        (
            r#"{"name":"distribution","family":"evidential","evidence_weight":-0.1}"#,
            "evidence_weight = -0.1",
        ),
        (
            r#"{"name":"distribution","family":"evidential","evidence_weight":{"rate":0.0}}"#,
            "evidence_weight.rate = 0",
        ),
        (
            r#"{"name":"returns_direction","weights":[0.0,0.0]}"#,
            "objective.weights",
        ),
        (
            r#"{"name":"returns_direction","weights":{"rate":2.0}}"#,
            "objective.weights.rate = 2",
        ),
        (
            r#"{"name":"returns_direction","loss":{"name":"quantile"}}"#,
            "objective.loss",
        ),
    ] {
        let objective: ObjectiveConfig = serde_json::from_str(json).unwrap();
        let error = objective.validate().unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(says),
            "{json}: {error}"
        );
    }
    let parsed: ObjectiveConfig = "distribution:beta_nll:0.25".parse().unwrap();
    let ObjectiveConfig::Distribution(Distribution { loss, .. }) = parsed else {
        panic!("{parsed}");
    };
    assert_eq!(loss, "beta_nll:0.25".parse::<DistributionLoss>().unwrap());
    // What files had before means what it meant.
    let old: ObjectiveConfig =
        serde_json::from_str(r#"{"name":"distribution","family":"gaussian","targets":2}"#).unwrap();
    let text = serde_json::to_string(&old).unwrap();
    assert_eq!(
        text,
        r#"{"name":"distribution","family":"gaussian","targets":2}"#
    );
}
