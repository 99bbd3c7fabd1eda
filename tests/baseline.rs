//! Baselines of every objective.

use serde::Deserialize;
use volatilityforge::baseline::{Baseline, ClassBaseline, DenseColumns, LogisticBaseline};
use volatilityforge::train::objective::{Objective, ObjectiveConfig, Predictions, Targets};

use crate::boosting::NEVER;

#[derive(Deserialize)]
struct Case {
    n_classes: usize,
    c: f64,
    columns: usize,
    train: Vec<f32>,
    labels: Vec<usize>,
    weights: Option<Vec<f64>>,
    test: Vec<f32>,
    probabilities: Vec<f64>,
}

#[test]
fn logistic_regression_is_that_of_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/logistic/case.json")).unwrap();
    for (i, case) in cases.iter().enumerate() {
        let dense = |values: &[f32]| DenseColumns::from_row_major(values, case.columns);
        let found = LogisticBaseline { c: case.c }
            .fit_predict(
                &dense(&case.train),
                &case.labels,
                case.n_classes,
                case.weights.as_deref(),
                &dense(&case.test),
                &NEVER,
            )
            .unwrap();
        assert_eq!(found.len(), case.probabilities.len());
        for (found, expected) in found.iter().zip(&case.probabilities) {
            assert!(
                (found - expected).abs() < 1e-5,
                "case {i}: {found} {expected}"
            );
        }
    }
}

/// Two columns; what is to be learnt is a function of the first.
fn features(rows: usize, shift: f32) -> DenseColumns {
    let values =
        (0..rows).flat_map(|i| [(i * 37 % rows) as f32 / rows as f32 - shift, (i % 3) as f32]);
    DenseColumns::from_row_major(&values.collect::<Vec<_>>(), 2)
}

fn first(features: &DenseColumns) -> Vec<f64> {
    features.values()[..features.n_rows()].to_vec()
}

#[test]
fn every_objective_has_baselines_that_it_can_score() {
    let (train, test) = (features(240, 0.5), features(70, 0.4));
    let line = |x: &DenseColumns| first(x).iter().map(|v| 3.0 * v + 1.0).collect::<Vec<_>>();
    let yes = |x: &DenseColumns| {
        first(x)
            .iter()
            .map(|v| f64::from(*v > 0.0))
            .collect::<Vec<_>>()
    };
    let third = |x: &DenseColumns| {
        let class = |v: &f64| {
            if *v < -0.2 {
                0.0
            } else {
                1.0 + f64::from(*v > 0.2)
            }
        };
        first(x).iter().map(class).collect::<Vec<_>>()
    };
    type Of<'a> = &'a dyn Fn(&DenseColumns) -> Vec<f64>;
    let cases: [(&str, Of<'_>, [&str; 3]); 5] = [
        ("regression", &line, ["mean", "ridge", "boosting"]),
        (
            "quantiles:0.1,0.5,0.9",
            &line,
            ["mean", "ridge", "boosting"],
        ),
        (
            "distribution:student_t",
            &line,
            ["mean", "ridge", "boosting"],
        ),
        ("binary", &yes, ["majority", "logistic", "boosting"]),
        ("multiclass", &third, ["majority", "logistic", "boosting"]),
    ];
    for (objective, truth, names) in cases {
        let mut objective: ObjectiveConfig = objective.parse().unwrap();
        let target = Targets::new(1, truth(&train)).unwrap();
        objective.fit(&target).unwrap();
        let baselines = Baseline::all(&objective);
        assert_eq!(
            baselines.iter().map(Baseline::name).collect::<Vec<_>>(),
            names
        );
        let deciding: Vec<f64> = baselines
            .iter()
            .map(|baseline| {
                let pred = baseline
                    .fit_predict(&objective, &train, &target, None, &test, &NEVER)
                    .unwrap();
                let actual = Targets::new(1, truth(&test)).unwrap();
                let scores = objective.scores(&pred, &actual).unwrap();
                let value = scores.deciding().unwrap().value;
                assert!(value.is_finite(), "{objective} {}", baseline.name());
                value
            })
            .collect();
        // Less is better of each first score; there is something to learn beyond a constant.
        assert!(
            deciding[1] < deciding[0] && deciding[2] < deciding[0],
            "{objective}: {deciding:?}"
        );
    }
}

#[test]
fn targets_side_by_side_are_fitted_one_by_one() {
    let (train, test) = (features(240, 0.5), features(70, 0.4));
    let rows = |x: &DenseColumns| {
        let both = first(x).into_iter().flat_map(|v| [v, 10.0 - v]);
        Targets::new(2, both.collect()).unwrap()
    };
    let mut objective = ObjectiveConfig::default();
    objective.fit(&rows(&train)).unwrap();
    for baseline in &Baseline::all(&objective)[1..] {
        let pred = baseline
            .fit_predict(&objective, &train, &rows(&train), None, &test, &NEVER)
            .unwrap();
        let scores = objective.scores(&pred, &rows(&test)).unwrap();
        assert!(
            scores.get("r2.1").unwrap() > 0.98,
            "{} {scores:?}",
            baseline.name()
        );
    }
}

/// Residuals of held-out rows, whatever the fit: eight in ten targets lie in the central interval.
#[test]
fn intervals_of_baselines_hold_as_many_targets_as_they_say() {
    let noise = |i: usize| ((i * 7919 % 1009) as f64 / 1009.0 - 0.5) * 2.0;
    let (train, test) = (features(500, 0.5), features(300, 0.5));
    let line = |x: &DenseColumns, at: usize| {
        let noisy = first(x)
            .into_iter()
            .enumerate()
            .map(|(i, v)| v + noise(i + at));
        Targets::new(1, noisy.collect()).unwrap()
    };
    let objective: ObjectiveConfig = "quantiles:0.1,0.5,0.9".parse().unwrap();
    for baseline in Baseline::all(&objective) {
        let pred = baseline
            .fit_predict(&objective, &train, &line(&train, 0), None, &test, &NEVER)
            .unwrap();
        assert!(matches!(pred, Predictions::Quantiles { .. }));
        let scores = objective.scores(&pred, &line(&test, 500)).unwrap();
        let coverage = scores.get("coverage_80").unwrap();
        assert!(
            (coverage - 0.8).abs() < 0.08,
            "{} {coverage}",
            baseline.name()
        );
    }
}

#[test]
fn a_baseline_of_another_kind_is_refused() {
    let x = features(30, 0.5);
    let numbers = &Baseline::all(&ObjectiveConfig::default())[0];
    let binary: ObjectiveConfig = "binary".parse().unwrap();
    let target = Targets::new(1, (0..30).map(|i| f64::from(i % 2)).collect()).unwrap();
    let error = numbers
        .fit_predict(&binary, &x, &target, None, &x, &NEVER)
        .unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("mean"),
        "{error}"
    );
}
