//! The boosting baseline against two other boosters, and what must not upset it.

use std::f64::consts::PI;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use volatilityforge::baseline::{
    Baseline, BoostingBaseline, ClassBaseline, DenseColumns, NumberBaseline,
};
use volatilityforge::train::objective::{Objective, ObjectiveConfig, Predictions, Targets};

pub(crate) static NEVER: AtomicBool = AtomicBool::new(false);

/// The numbers of `oracle/boosting/generate.py`.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        let by = 6_364_136_223_846_793_005;
        self.0 = self
            .0
            .wrapping_mul(by)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    fn noise(&mut self) -> f64 {
        (self.next() + self.next() + self.next() + self.next() - 2.0) * 3_f64.sqrt()
    }
}

type Row = (Vec<f64>, f64);

fn friedman(r: &mut Numbers) -> Row {
    let x: Vec<f64> = (0..6).map(|_| r.next()).collect();
    let curved = 10.0 * (PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2);
    let y = curved + 10.0 * x[3] + 5.0 * x[4] + r.noise();
    (x, y)
}

fn chain(r: &mut Numbers) -> Row {
    let strike = 80.0 + 2.5 * (17.0 * r.next()).floor();
    let days = [7.0, 14.0, 30.0, 60.0, 90.0, 180.0][(6.0 * r.next()) as usize];
    let call = (2.0 * r.next()).floor();
    let k = (strike / 100.0).ln() / (days / 365.0_f64).sqrt();
    let y = 0.2 + 0.05 * k * k - 0.03 * k + 0.005 * r.noise();
    (vec![strike, days, call], y)
}

fn classes(r: &mut Numbers) -> Row {
    let x: Vec<f64> = (0..4).map(|_| r.next()).collect();
    let z = 6.0 * (x[0] - 0.5) + 20.0 * (x[1] - 0.5) * (x[2] - 0.5);
    let y = f64::from(r.next() < 1.0 / (1.0 + (-z).exp()));
    (x, y)
}

struct Rows {
    train: (DenseColumns, Vec<f64>),
    test: (DenseColumns, Vec<f64>),
}

fn make(row: fn(&mut Numbers) -> Row, train: usize, test: usize) -> Rows {
    let mut numbers = Numbers(1);
    let mut part = |rows: usize| {
        let (x, y): (Vec<_>, Vec<_>) = (0..rows).map(|_| row(&mut numbers)).unzip();
        let columns = x[0].len();
        let x: Vec<f32> = x.into_iter().flatten().map(|v| v as f32).collect();
        (DenseColumns::from_row_major(&x, columns), y)
    };
    Rows {
        train: part(train),
        test: part(test),
    }
}

/// The error of the better of the two, made by `oracle/boosting/generate.py` with scikit-learn 1.9.1 and
/// LightGBM 4.7.0.
fn better(case: &str) -> f64 {
    let all: Value = serde_json::from_str(include_str!("oracle/boosting/case.json")).unwrap();
    let error = |booster: &str| all[case][booster].as_f64().unwrap();
    error("scikit-learn").min(error("lightgbm"))
}

fn rmse(predicted: &[f64], actual: &[f64]) -> f64 {
    let squares = predicted.iter().zip(actual).map(|(p, y)| (p - y).powi(2));
    (squares.sum::<f64>() / actual.len() as f64).sqrt()
}

fn std(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    rmse(&vec![mean; values.len()], values)
}

/// On the second table, of 62,000 rows, the crate that was used before had an RMSE four times as large.
#[test]
fn numbers_are_predicted_as_well_as_by_other_boosters() {
    for (name, row, train, test) in [
        ("friedman", friedman as fn(&mut Numbers) -> Row, 1500, 500),
        ("chain", chain, 62_000, 5_000),
    ] {
        let rows = make(row, train, test);
        let predicted = NumberBaseline::fit_predict(
            &BoostingBaseline::default(),
            &rows.train.0,
            &rows.train.1,
            None,
            &rows.test.0,
            &NEVER,
        )
        .unwrap();
        let error = rmse(&predicted, &rows.test.1) / std(&rows.train.1);
        assert!(
            error < 1.05 * better(name),
            "{name}: {error} {}",
            better(name)
        );
    }
}

#[test]
fn classes_are_predicted_as_well_as_by_other_boosters() {
    let rows = make(classes, 3_000, 2_000);
    let labels: Vec<usize> = rows.train.1.iter().map(|y| *y as usize).collect();
    let boosting = BoostingBaseline::for_classes();
    let fit = |labels: &[usize], n_classes: usize| {
        let (x, test) = (&rows.train.0, &rows.test.0);
        ClassBaseline::fit_predict(&boosting, x, labels, n_classes, None, test, &NEVER).unwrap()
    };
    let log_loss = |p: &[f64], n_classes: usize| {
        let truth = rows.test.1.iter().enumerate();
        let losses = truth.map(|(row, y)| -p[row * n_classes + *y as usize].ln());
        losses.sum::<f64>() / rows.test.1.len() as f64
    };
    let two = log_loss(&fit(&labels, 2), 2);
    assert!(
        two < 1.05 * better("classes"),
        "{two} {}",
        better("classes")
    );
    // The same asked of softmax, beside a class that no row has.
    let p = fit(&labels, 3);
    let three = log_loss(&p, 3);
    assert!(three < 1.08 * better("classes"), "{three}");
    for row in p.chunks(3) {
        assert!(
            (row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row[2] < 1e-3,
            "{row:?}"
        );
    }
}

fn predictions(objective: &str, rows: &Rows, unit: f64) -> Vec<Vec<f64>> {
    let mut objective: ObjectiveConfig = objective.parse().unwrap();
    let target = rows.train.1.iter().map(|y| y * unit).collect();
    let target = Targets::new(1, target).unwrap();
    objective
        .fit(&Targets::new(1, rows.train.1.clone()).unwrap())
        .unwrap();
    let fit = |baseline: &Baseline| {
        let (x, test) = (&rows.train.0, &rows.test.0);
        match baseline
            .fit_predict(&objective, x, &target, None, test, &NEVER)
            .unwrap()
        {
            Predictions::Values { values, .. } | Predictions::Quantiles { values, .. } => values,
            Predictions::Distribution { mean, std, .. } => [mean, std].concat(),
            other => panic!("{other:?}"),
        }
    };
    Baseline::all(&objective).iter().map(fit).collect()
}

/// As with the targets `iv`, `iv * 1e-4`, `iv * 1e20` and `iv * 1e200`.
#[test]
fn predictions_do_not_hang_on_the_targets_unit() {
    let rows = make(friedman, 300, 40);
    for objective in [
        "regression",
        "quantiles:0.1,0.5,0.9",
        "distribution:gaussian",
    ] {
        let plain = predictions(objective, &rows, 1.0);
        for unit in [1e-200, 1e-4, 1e20, 1e200] {
            let scaled = predictions(objective, &rows, unit);
            for (plain, scaled) in plain.iter().flatten().zip(scaled.iter().flatten()) {
                let off = (scaled / unit - plain).abs();
                assert!(
                    off < 1e-4 * plain.abs(),
                    "{objective} {unit:e}: {scaled:e} {plain}"
                );
            }
        }
    }
}

#[test]
fn a_constant_target_is_predicted_as_it_is() {
    let mut rows = make(friedman, 60, 10);
    rows.train.1 = vec![0.2; 60];
    for values in predictions("regression", &rows, 1.0) {
        assert!(values.iter().all(|v| *v == 0.2), "{values:?}");
    }
}

#[test]
fn a_row_of_weight_two_counts_as_two_rows() {
    let rows = make(friedman, 400, 50);
    let (x, y) = &rows.train;
    let twice = x.followed_by(&x.filter(|row| row % 3 == 0));
    let again = y
        .iter()
        .enumerate()
        .filter(|(row, _)| row % 3 == 0)
        .map(|(_, y)| *y);
    let target: Vec<f64> = y.iter().copied().chain(again).collect();
    let weights: Vec<f64> = (0..400)
        .map(|row| if row % 3 == 0 { 2.0 } else { 1.0 })
        .collect();
    // Weights are taken to 1 on average, so a leaf's least is more rows of the longer table.
    let boosting = |min_leaf: f64| BoostingBaseline {
        min_leaf,
        rounds: 20,
        ..BoostingBaseline::default()
    };
    let fit = |least: f64, x: &DenseColumns, y: &[f64], w: Option<&[f64]>| {
        NumberBaseline::fit_predict(&boosting(least), x, y, w, &rows.test.0, &NEVER).unwrap()
    };
    let weighed = fit(15.0, x, y, Some(&weights));
    let doubled = fit(15.0 * 534.0 / 400.0, &twice, &target, None);
    let plain = fit(15.0, x, y, None);
    // The bins, of equally many rows, differ a little.
    let (near, far) = (rmse(&weighed, &doubled), rmse(&weighed, &plain));
    assert!(near < 0.5 * far, "{near} {far}");
}

/// All its rounds would take hours.
#[test]
fn is_stopped_from_outside() {
    let rows = make(friedman, 30_000, 10);
    let many = BoostingBaseline {
        rounds: 100_000,
        ..BoostingBaseline::default()
    };
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::Relaxed);
        });
        let (x, y) = &rows.train;
        NumberBaseline::fit_predict(&many, x, y, None, &rows.test.0, &stop).unwrap_err()
    });
    assert!(
        error.is_training() && error.to_string().contains("stopped"),
        "{error}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let rows = make(friedman, 30, 5);
    type Change = fn(&mut BoostingBaseline);
    let changes: [(&str, Change); 5] = [
        ("rounds", |b| b.rounds = 0),
        ("learning_rate", |b| b.learning_rate = 1.5),
        ("max_depth", |b| b.max_depth = 0),
        ("min_leaf", |b| b.min_leaf = 0.0),
        ("l2", |b| b.l2 = f64::NAN),
    ];
    for (field, change) in changes {
        let mut boosting = BoostingBaseline::default();
        change(&mut boosting);
        let (x, y) = &rows.train;
        let error = NumberBaseline::fit_predict(&boosting, x, y, None, &rows.test.0, &NEVER);
        let error = error.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{error}"
        );
    }
}

/// No feature at all, and one that says nothing: what is left is the mean.
#[test]
fn without_anything_to_split_the_mean_is_predicted() {
    let y = [1.0, 2.0, 6.0];
    let none = DenseColumns::from_row_major(&[], 0);
    let same = DenseColumns::from_row_major(&[7.0, 7.0, 7.0], 1);
    let boosting = BoostingBaseline::default();
    let fit = |x: &DenseColumns| NumberBaseline::fit_predict(&boosting, x, &y, None, x, &NEVER);
    for value in fit(&same).unwrap() {
        assert!((value - 3.0).abs() < 1e-5, "{value}");
    }
    assert!(
        fit(&none).is_err(),
        "no column, so the rows cannot be counted"
    );
}

#[test]
fn several_targets_are_fitted_as_each_by_itself() {
    let mut numbers = Numbers(5);
    let rows: Vec<Row> = (0..200).map(|_| friedman(&mut numbers)).collect();
    let x: Vec<f32> = rows
        .iter()
        .flat_map(|(x, _)| x)
        .map(|x| *x as f32)
        .collect();
    let train = DenseColumns::from_row_major(&x, 6);
    let targets: Vec<Vec<f64>> = (0..3)
        .map(|k| rows.iter().map(|(x, y)| y + f64::from(k) * x[0]).collect())
        .collect();
    let weights: Vec<f64> = (0..200).map(|row| f64::from(row % 3)).collect();
    let boosting = BoostingBaseline {
        rounds: 10,
        ..BoostingBaseline::default()
    };
    for weights in [None, Some(weights.as_slice())] {
        let together = boosting
            .fit_each(&train, &targets, weights, &NEVER)
            .unwrap();
        assert_eq!(together.len(), targets.len());
        for (target, trees) in targets.iter().zip(together) {
            let alone = boosting.fit(&train, target, weights, &NEVER).unwrap();
            assert_eq!(trees.predict(&train), alone.predict(&train));
        }
    }
}
