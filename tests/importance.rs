//! Which columns count.

use volatilityforge::experiment::ExperimentConfig;
use volatilityforge::models::ModelConfig;
use volatilityforge::{
    Column, ColumnImportance, DeviceName, FittedModel, PermutationConfig, Table, TabularClassifier,
    TabularRegressor,
};

use crate::chain::{chain, label_column, quick, regressor};
use crate::experiment;

const ROWS: usize = 320;
/// Models of labelled rows read those again for every pass.
const JUDGED: usize = 64;

/// `y` and `side` follow from `signal` and `label`; `noise` tells nothing, whatever it looks like.
fn table() -> Table {
    with_gaps(true)
}

fn with_gaps(gaps: bool) -> Table {
    let spread = |i: usize, by: usize| (i * by % 101) as f64 / 101.0 - 0.5;
    let all = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).collect::<Vec<f64>>();
    let labels: Vec<&str> = (0..ROWS).map(|i| ["a", "b", "c"][i * 7 % 5 % 3]).collect();
    let y = |i: usize| 4.0 * spread(i, 37) + if labels[i] == "b" { 1.5 } else { 0.0 };
    let sides: Vec<&str> = (0..ROWS)
        .map(|i| if y(i) > 0.4 { "up" } else { "down" })
        .collect();
    // Missing where nothing follows from it: the indicator belongs to its column.
    let noise = |i: usize| {
        if gaps && i % 13 == 4 {
            f64::NAN
        } else {
            spread(i * i, 53)
        }
    };
    Table::new(vec![
        Column::numeric("noise", all(&noise)),
        label_column("label", &labels),
        Column::numeric("signal", all(&|i| spread(i, 37))),
        Column::numeric("y", all(&y)),
        label_column("side", &sides),
    ])
    .unwrap()
}

fn fitted(model: &str, epochs: usize) -> FittedModel {
    fitted_to(&table(), model, epochs)
}

fn fitted_to(table: &Table, model: &str, epochs: usize) -> FittedModel {
    let mut config = quick(model);
    config.training.epochs = Some(epochs);
    let device = DeviceName::Flex.open().unwrap();
    let estimator = TabularRegressor::new("y").with_config(config).unwrap();
    let fitted = estimator.ignore(["side"]).fit(table, &device).unwrap();
    fitted.into_model()
}

fn of<'a>(columns: &'a [ColumnImportance], name: &str) -> &'a ColumnImportance {
    columns.iter().find(|c| c.column == name).unwrap()
}

#[test]
fn a_model_that_tells_looks_least_at_the_column_that_tells_nothing() {
    let table = with_gaps(false);
    for model in ["ft_transformer", "tabnet"] {
        let fitted = fitted_to(&table, model, 40);
        let columns = fitted.importance(&table, None).unwrap().unwrap();
        assert_eq!(columns.len(), 3, "{model}");
        assert_eq!(columns[2].column, "noise", "{model}: {columns:?}");
        assert!(
            columns[2].value < 0.8 * columns[1].value,
            "{model}: {columns:?}"
        );
    }
}

#[test]
fn only_models_that_declare_it_tell() {
    let rows: Vec<usize> = (0..40).collect();
    for model in ModelConfig::NAMES {
        let declared = ModelConfig::capabilities_of(model).unwrap().feature_masks;
        let columns = fitted(model, 1).importance(&table(), Some(&rows)).unwrap();
        assert_eq!(columns.is_some(), declared, "{model}");
        if let Some(columns) = columns {
            let sum: f64 = columns.iter().map(|c| c.value).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{model}: {sum}");
            assert!(columns.is_sorted_by(|a, b| a.value >= b.value));
            assert!(columns.iter().all(|c| c.value >= 0.0 && c.std.is_none()));
        }
    }
}

#[test]
fn every_model_can_be_asked_by_permutation() {
    let rows: Vec<usize> = (0..JUDGED).collect();
    let config = PermutationConfig {
        repeats: 2,
        seed: 1,
    };
    for model in ModelConfig::NAMES {
        let fitted = fitted(model, 2);
        let columns = fitted
            .permutation_importance(&table(), Some(&rows), &config)
            .unwrap();
        let mut names: Vec<&str> = columns.iter().map(|c| c.column.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["label", "noise", "signal"], "{model}");
        // Some column changes the score, whatever was learnt by now; a sparse mask may hide others.
        assert!(
            columns.iter().any(|c| c.value != 0.0),
            "{model}: {columns:?}"
        );
        assert!(columns.iter().all(|c| c.std.is_some_and(f64::is_finite)));
        assert!(columns.is_sorted_by(|a, b| a.value >= b.value));
    }
}

/// Numbers one by one and with their indicator, codes and one-hot columns.
#[test]
fn a_model_loses_by_what_it_uses() {
    let config = PermutationConfig {
        repeats: 3,
        seed: 1,
    };
    for model in ["tabular_mlp", "modern_resnet", "ft_transformer"] {
        let fitted = fitted(model, 40);
        let columns = fitted
            .permutation_importance(&table(), None, &config)
            .unwrap();
        let (signal, noise) = (of(&columns, "signal"), of(&columns, "noise"));
        assert_eq!(columns[0].column, "signal", "{model}: {columns:?}");
        // In the unit of y, whose deviation is about 1.4.
        assert!(signal.value > 0.3, "{model}: {columns:?}");
        assert!(
            noise.value < 0.3 * of(&columns, "label").value,
            "{model}: {columns:?}"
        );
        assert!(
            signal
                .std
                .is_some_and(|std| std > 0.0 && std < signal.value)
        );
    }
}

/// One-hot columns of a label are shuffled with each other; the score is the classes'.
#[test]
fn labels_and_classes_count_as_columns() {
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(60);
    let device = DeviceName::Flex.open().unwrap();
    let classifier = TabularClassifier::new("side").with_config(config).unwrap();
    let fitted = classifier.ignore(["y"]).fit(&table(), &device).unwrap();
    let shuffled = |seed| {
        let config = PermutationConfig { repeats: 2, seed };
        fitted
            .permutation_importance(&table(), None, &config)
            .unwrap()
    };
    let columns = shuffled(0);
    assert_eq!(columns.len(), 3);
    let noise = of(&columns, "noise").value.abs();
    for what in ["label", "signal"] {
        assert!(of(&columns, what).value > 3.0 * noise, "{columns:?}");
    }
    assert_eq!(columns, shuffled(0));
    assert_ne!(columns, shuffled(1));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let fitted = fitted("ft_transformer", 1);
    let none: [usize; 0] = [];
    let config = PermutationConfig::default();
    let errors = [
        fitted.importance(&table(), Some(&none)).unwrap_err(),
        fitted
            .permutation_importance(&table(), Some(&none), &config)
            .unwrap_err(),
        fitted
            .permutation_importance(
                &table(),
                None,
                &PermutationConfig {
                    repeats: 0,
                    ..config
                },
            )
            .unwrap_err(),
    ];
    for (error, what) in errors.iter().zip(["rows", "rows", "repeats"]) {
        assert!(
            error.is_config() && error.to_string().contains(what),
            "{error}"
        );
    }
    let other = regressor(quick("tabular_mlp"));
    let other = other
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap();
    let error = other
        .permutation_importance(&table(), None, &config)
        .unwrap_err();
    assert!(error.to_string().contains("log_moneyness"), "{error}");
}

#[test]
fn a_run_keeps_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("table.csv");
    table().write_csv(&data).unwrap();
    let mut config = ExperimentConfig {
        data: Some(data),
        target: vec!["y".into()],
        ignore: vec!["side".into()],
        models: vec!["tabular_mlp".into(), "ft_transformer".into()],
        ..experiment::config(folder.path())
    };
    // Fewer than fifty rows would tell nothing.
    config.estimator.validation_fraction = 0.3;
    let out = folder.path().join("run");
    let summary = experiment::run(&config, &out, false, None)
        .unwrap()
        .unwrap();
    let lost = summary.permutation_importance.as_ref().unwrap();
    assert_eq!(lost.len(), 3);
    for model in &summary.models {
        assert_eq!(model.importance.is_some(), model.name == "ft_transformer");
    }
    let json = std::fs::read_to_string(out.join("metrics.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["permutation_importance"][0]["column"], lost[0].column);
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    for what in [
        "Which columns count",
        "rmse worse by",
        "ft_transformer, by its own account",
    ] {
        assert!(html.contains(what), "{what}");
    }
    // What a model that is done has told is read from its record.
    let again = experiment::run(&config, &out, true, None).unwrap().unwrap();
    assert_eq!(again.models, summary.models);
}
