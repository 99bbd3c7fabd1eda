//! Fitted models whose predictions are put right by rows that they have not learned from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use volatilityforge::data::{ColumnValues, Split};
use volatilityforge::prediction::PredictionConfig;
use volatilityforge::train::metric::log_loss;
use volatilityforge::train::objective::Predictions;
use volatilityforge::{
    Calibration, CalibrationConfig, Column, DeviceName, Error, EstimatorConfig, FitOptions,
    FittedModel, Inference, ReadOptions, Table, TabularEstimator, read_table,
};

use crate::chain::{label_column, quick};

const ROWS: usize = 900;

/// A number with noise of one long tail, another, and classes of which one is seldom as sure as it looks.
fn noisy() -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let x: Vec<f64> = (0..ROWS).map(|_| random.random_range(-1.0..1.0)).collect();
    let mut tail = || -f64::ln(1.0 - random.random_range(0.0..1.0));
    let y: Vec<f64> = x.iter().map(|x| 3.0 * x + tail()).collect();
    let z: Vec<f64> = x.iter().map(|x| 100.0 - 10.0 * x + 5.0 * tail()).collect();
    let kind = |x: &f64| match random.random_range(-1.0..1.0) {
        u if u < 1.5 * x => "up",
        _ => "down",
    };
    let kinds: Vec<&str> = x.iter().map(kind).collect();
    let rare = |x: &f64| match random.random_range(0.0..1.0) {
        u if u < 0.5 * x.max(0.0) => "yes",
        _ => "no",
    };
    let rare: Vec<&str> = x.iter().map(rare).collect();
    Table::new(vec![
        label_column("rare", &rare),
        Column::numeric("x", x),
        Column::numeric("y", y),
        Column::numeric("z", z),
        label_column("kind", &kinds),
    ])
    .unwrap()
}

/// A third each.
fn split() -> Split {
    let part = |k: usize| (0..ROWS).skip(k).step_by(3).collect();
    Split {
        train: part(0),
        validation: part(1),
        test: part(2),
    }
}

fn settings(objective: &str) -> EstimatorConfig {
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(8);
    config.training.learning_rate = Some(0.01);
    config.objective = Some(objective.parse().unwrap());
    config.calibration = Some(CalibrationConfig::default());
    config
}

fn fit(target: &[&str], config: EstimatorConfig, split: &Split) -> Result<FittedModel, Error> {
    let others = ["y", "z", "kind", "rare"].into_iter();
    let others: Vec<&str> = others.filter(|name| !target.contains(name)).collect();
    let estimator = TabularEstimator::targets(target.iter().copied()).ignore(others);
    let estimator = estimator.with_config(config)?;
    let device = DeviceName::Flex.open()?;
    let (fitted, report) = estimator.fit_split(&noisy(), split, &device, FitOptions::default())?;
    assert!(!report.notes.iter().any(|note| note.contains("calibrated")));
    Ok(fitted)
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    match &table.column(column).unwrap().values {
        ColumnValues::Numeric(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

/// Shares of the test rows below and above the ends, of each target.
fn shares(fitted: &FittedModel, low: f64, high: f64) -> Vec<[f64; 2]> {
    let (table, rows) = (noisy(), split().test);
    let said = fitted.predictions_rows(&table, Some(&rows)).unwrap();
    let [low, high] = [low, high].map(|q| fitted.quantile(&said, q).unwrap());
    let names = fitted.target_names();
    let share = |slot: usize, beyond: &dyn Fn(f64, usize) -> bool| {
        let actual = numbers(&table, names[slot]);
        let each = rows.iter().enumerate();
        let count = each.filter(|(i, row)| beyond(actual[**row], i * names.len() + slot));
        count.count() as f64 / rows.len() as f64
    };
    let slots = 0..names.len();
    let of = |slot| {
        [
            share(slot, &|y, at| y < low[at]),
            share(slot, &|y, at| y > high[at]),
        ]
    };
    slots.map(of).collect()
}

/// Values, distributions and quantiles, of one target and of two: at most 5 % of rows beyond each end, but for
/// what 300 rows of calibration and 300 of testing leave open (a standard deviation of 0.018).
#[test]
fn ends_of_numbers_hold_their_share() {
    for (targets, objective) in [
        (&["y"][..], "regression"),
        (&["y", "z"][..], "regression"),
        (&["y"][..], "distribution"),
        (&["z"][..], "quantiles:0.05,0.5,0.95"),
    ] {
        let fitted = fit(targets, settings(objective), &split()).unwrap();
        for [below, above] in shares(&fitted, 0.05, 0.95) {
            for share in [below, above] {
                assert!(
                    (0.005..0.105).contains(&share),
                    "{objective} {targets:?}: {share}"
                );
            }
        }
        let mut without = settings(objective);
        without.calibration = None;
        let without = fit(targets, without, &split()).unwrap();
        let said = without.predictions(&noisy()).unwrap();
        // Ends of a Gaussian at one long tail are off; single numbers have none.
        assert_eq!(
            without.quantile(&said, 0.05).is_ok(),
            objective != "regression"
        );
    }
}

#[test]
fn a_calibrated_model_is_saved_and_its_file_has_the_ends() {
    let fitted = fit(&["y"], settings("regression"), &split()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (model, data, out) = (
        folder.path().join("model.safetensors"),
        folder.path().join("new.csv"),
        folder.path().join("out.csv"),
    );
    fitted.save(&model).unwrap();
    let loaded = FittedModel::load(&model, &DeviceName::Flex.open().unwrap()).unwrap();
    assert_eq!(loaded.calibration(), fitted.calibration());
    noisy().write(&data).unwrap();
    let config = PredictionConfig::of(&loaded);
    assert_eq!(config.quantiles, [0.05, 0.95]);
    let account = loaded.predict_file(&data, &out, &config).unwrap();
    let told = "900 predictions of y by tabular_mlp, calibrated: quantiles 0.05, 0.95, by 300 rows";
    assert!(account.to_string().contains(told), "{account}");
    let (written, _) = read_table(&out, &ReadOptions::default()).unwrap();
    let said = fitted.predictions(&noisy()).unwrap();
    for q in [0.05, 0.95] {
        let column = numbers(&written, &format!("quantile_{q}_y"));
        assert_eq!(column, fitted.quantile(&said, q).unwrap());
    }
    // Asked for others, it says which there are.
    let others = PredictionConfig {
        quantiles: vec![0.25],
        ..config
    };
    let error = loaded.predict_file(&data, &out, &others).unwrap_err();
    assert!(
        error.to_string().contains("calibrated: 0.05, 0.95"),
        "{error}"
    );
    let mut quantiles = loaded.clone().into_regressor().unwrap();
    let again = CalibrationConfig::default();
    let rows = split().validation;
    quantiles.calibrate(&noisy(), Some(&rows), &again).unwrap();
    let ends = quantiles.predict_quantiles(&noisy(), &[0.95]).unwrap();
    assert_eq!(ends[0], fitted.quantile(&said, 0.95).unwrap());
}

/// Of a distribution the calibrated quantiles take the place of its own, also where members are asked.
#[test]
fn a_column_is_written_once() {
    for objective in ["distribution", "regression"] {
        column_is_written_once(objective);
    }
}

fn column_is_written_once(objective: &str) {
    let mut config = settings(objective);
    config.ensemble = 2;
    let fitted = fit(&["y"], config, &split()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("new.csv"), folder.path().join("out.csv"));
    noisy().write(&data).unwrap();
    for inference in [None, Some(Inference::Members)] {
        let config = PredictionConfig {
            inference,
            ..PredictionConfig::of(&fitted)
        };
        let account = fitted.predict_file(&data, &out, &config).unwrap();
        assert!(account.no_quantiles.is_none());
        let (written, _) = read_table(&out, &ReadOptions::default()).unwrap();
        let names: Vec<_> = written.columns().iter().map(|c| c.name.clone()).collect();
        let found = names
            .iter()
            .filter(|name| name.starts_with("quantile_0.05"));
        assert_eq!(found.collect::<Vec<_>>(), ["quantile_0.05_y"], "{names:?}");
    }
}

fn probabilities(said: &Predictions) -> &[f64] {
    said.probabilities().unwrap()
}

/// A network that is far too sure is put right: the same classes, a smaller log loss, and a temperature that
/// minimises it on the rows of calibration.
#[test]
fn a_temperature_makes_classes_as_sure_as_they_are_right() {
    let mut config = settings("multiclass");
    config.training.epochs = Some(60);
    config.training.learning_rate = Some(0.03);
    let calibrated = fit(&["kind"], config.clone(), &split()).unwrap();
    config.calibration = None;
    let mut plain = fit(&["kind"], config, &split()).unwrap();
    let Some(Calibration::Temperature(temperature)) = calibrated.calibration() else {
        panic!("{:?}", calibrated.calibration());
    };
    assert!(
        (temperature.temperature() - 1.0).abs() > 0.02,
        "{temperature:?}"
    );
    let (
        table,
        Split {
            validation, test, ..
        },
    ) = (noisy(), split());
    let loss = |model: &FittedModel, rows: &[usize]| {
        let said = model.predictions_rows(&table, Some(rows)).unwrap();
        let labels = model.targets_of(&table, Some(rows)).unwrap().column(0);
        let labels: Vec<usize> = labels.into_iter().map(|class| class as usize).collect();
        (
            log_loss(probabilities(&said), 2, &labels, None).unwrap(),
            said.classes(),
        )
    };
    let [(before, classes), (after, same)] = [&plain, &calibrated].map(|m| loss(m, &validation));
    assert!(after < before, "{after} {before}");
    assert_eq!(classes, same);
    let [(before, _), (after, _)] = [&plain, &calibrated].map(|m| loss(m, &test));
    assert!(after < before + 0.01, "{after} {before}");
    // By the call, it is the same.
    let config = CalibrationConfig::default();
    plain.calibrate(&table, Some(&validation), &config).unwrap();
    assert_eq!(plain.calibration(), calibrated.calibration());
    let said = plain.predictions(&table).unwrap();
    for row in probabilities(&said).chunks_exact(2) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    // And once more: what was there before is not calibrated again.
    plain.calibrate(&table, Some(&validation), &config).unwrap();
    assert_eq!(plain.calibration(), calibrated.calibration());
}

/// A threshold that is chosen on validation rows is one of calibrated probabilities.
#[test]
fn a_tuned_threshold_follows_the_temperature() {
    let mut config = settings("binary");
    let tuned = serde_json::json!({"name": "binary", "threshold": "youden"});
    config.objective = Some(serde_json::from_value(tuned).unwrap());
    // So long that it is surer than it is right.
    config.training.epochs = Some(60);
    config.training.learning_rate = Some(0.03);
    let calibrated = fit(&["rare"], config.clone(), &split()).unwrap();
    config.calibration = None;
    let plain = fit(&["rare"], config, &split()).unwrap();
    let (rows, how) = (split().validation, CalibrationConfig::default());
    let mut by_call = plain.clone();
    by_call.calibrate(&noisy(), Some(&rows), &how).unwrap();
    let Some(Calibration::Temperature(temperature)) = by_call.calibration() else {
        panic!("{:?}", by_call.calibration());
    };
    assert!(
        (temperature.temperature() - 1.0).abs() > 0.02,
        "{temperature:?}"
    );
    let [expected, found, called] = [&plain, &calibrated, &by_call].map(|model| {
        let said = model.predictions_rows(&noisy(), Some(&rows)).unwrap();
        said.classes().unwrap()
    });
    let taken = expected.iter().sum::<usize>();
    assert!((10..150).contains(&taken), "{taken}");
    assert_eq!(found, expected);
    assert_eq!(called, expected);
}

#[test]
fn a_refit_keeps_what_rows_it_had_not_seen_say() {
    let mut config = settings("regression");
    let first = fit(&["y"], config.clone(), &split()).unwrap();
    config.refit = true;
    let again = fit(&["y"], config, &split()).unwrap();
    assert_eq!(again.calibration(), first.calibration());
    let said = |model: &FittedModel| model.predictions(&noisy()).unwrap().point();
    assert_ne!(said(&again), said(&first));
}

#[test]
fn what_cannot_be_calibrated_says_why_before_anything_is_trained() {
    let refused = |config: EstimatorConfig, split: &Split| {
        fit(&["y"], config, split).unwrap_err().to_string()
    };
    let mut few = split();
    few.validation.truncate(18);
    let error = refused(settings("regression"), &few);
    assert!(
        error.contains("validation rows = 18") && error.contains("at least 19"),
        "{error}"
    );
    let mut crossed = settings("regression");
    crossed.calibration = Some(CalibrationConfig {
        quantiles: vec![0.9, 0.1],
    });
    let error = refused(crossed, &split());
    assert!(error.contains("quantiles[1]"), "{error}");

    // Of two models that were each calibrated alone, nobody knows how sure they are together.
    let one = fit(&["y"], settings("regression"), &split()).unwrap();
    let error = one.clone().ensemble([one.clone()]).unwrap_err().to_string();
    assert!(error.contains("calibrate the ensemble"), "{error}");

    // What fails leaves the model as it was.
    let mut model = one.clone();
    let wide = CalibrationConfig {
        quantiles: vec![0.001],
    };
    let rows = split().validation;
    assert!(model.calibrate(&noisy(), Some(&rows), &wide).is_err());
    assert_eq!(model.calibration(), one.calibration());
}

/// Where every validation row is right no temperature is best: the training stands, and a note says so.
#[test]
fn a_training_is_not_lost_for_its_calibration() {
    let x: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
    let kinds: Vec<&str> = x
        .iter()
        .map(|x| if *x > 0.5 { "up" } else { "down" })
        .collect();
    let table = Table::new(vec![Column::numeric("x", x), label_column("kind", &kinds)]).unwrap();
    let estimator = TabularEstimator::new("kind")
        .with_config(settings("binary"))
        .unwrap();
    let split = Split {
        train: (0..150).collect(),
        validation: (150..200).collect(),
        ..Split::default()
    };
    let device = DeviceName::Flex.open().unwrap();
    let fitted = estimator.fit_split(&table, &split, &device, FitOptions::default());
    let (fitted, report) = fitted.unwrap();
    assert!(fitted.calibration().is_none());
    let note = report
        .notes
        .iter()
        .find(|note| note.contains("not calibrated"));
    assert!(note.unwrap().contains("rightly"), "{note:?}");
}
