//! From a file to a file, and files whatever they hold.

use std::path::Path;

use volatilityforge::data::Duplicates;
use volatilityforge::forecast::run::ForecastRunConfig;
use volatilityforge::forecast::{FittedForecaster, ForecastFileConfig, Forecaster};
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, ReadOptions, SavedModel, Strategy, Table,
    TabularRegressor, read_table,
};

use super::{quick, waves};

#[test]
fn a_file_of_series_is_forecast_by_a_file() {
    let device = DeviceName::Flex.open().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    waves(120).write(at("bars.csv")).unwrap();
    let (table, _) = read_table(at("bars.csv"), &ReadOptions::default()).unwrap();
    let mut config = quick();
    config.training.epochs = Some(2);
    let fitted = Forecaster::with_config(config).unwrap();
    let fitted = fitted.fit(&table, &device).unwrap();
    fitted.save(at("model.safetensors")).unwrap();

    let loaded = SavedModel::load(at("model.safetensors"), &device).unwrap();
    let SavedModel::Series(loaded) = loaded else {
        panic!("a forecaster was saved");
    };
    let config = ForecastFileConfig::of(&loaded);
    for name in ["next.csv", "next.parquet"] {
        let account = loaded.predict_file(at("bars.csv"), at(name), &config);
        let account = account.unwrap();
        assert_eq!((account.series, account.steps), (2, vec![1, 2, 3]));
        let (next, _) = read_table(at(name), &ReadOptions::default()).unwrap();
        let expected = fitted.predict(&table).unwrap().to_table().unwrap();
        assert_eq!(next.n_rows(), 6);
        for column in ["value", "value_q05", "value_q95"] {
            assert_eq!(
                next.column(column).unwrap().values,
                expected.column(column).unwrap().values,
                "{name}, {column}"
            );
        }
    }

    // What is wrong in a file is said with its name, and nothing is written.
    waves(10).write(at("short.csv")).unwrap();
    let error = loaded.predict_file(at("short.csv"), at("none.csv"), &config);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("short.csv") && error.contains('a'),
        "{error}"
    );
    assert!(!at("none.csv").exists());
}

#[test]
fn a_model_of_rows_is_told_from_a_forecaster() {
    let device = DeviceName::Flex.open().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let x: Vec<f64> = (0..60).map(f64::from).collect();
    let table = Table::new(vec![
        Column::numeric("x", x.clone()),
        Column::numeric("y", x),
    ]);
    let mut config = EstimatorConfig::named("tabular_mlp", Strategy::Fast).unwrap();
    config.training.epochs = Some(1);
    let model = TabularRegressor::new("y").with_config(config).unwrap();
    model
        .fit(&table.unwrap(), &device)
        .unwrap()
        .save(&path)
        .unwrap();
    let loaded = SavedModel::load(&path, &device).unwrap();
    assert!(matches!(loaded, SavedModel::Rows(_)));
    let error = FittedForecaster::load(&path, &device).unwrap_err();
    assert!(
        error.to_string().contains("volatilityforge.artifact"),
        "{error}"
    );

    std::fs::write(&path, b"not a model").unwrap();
    let error = SavedModel::load(&path, &device).unwrap_err();
    assert!(error.to_string().contains("model.safetensors"), "{error}");
}

#[test]
fn faults_of_a_new_file_are_repaired_where_the_caller_says_so() {
    let device = DeviceName::Flex.open().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let table = waves(120);
    let mut config = quick();
    config.training.epochs = Some(1);
    let fitted = Forecaster::with_config(config).unwrap();
    let fitted = fitted.fit(&table, &device).unwrap();
    table.write(at("bars.csv")).unwrap();
    let text = std::fs::read_to_string(at("bars.csv")).unwrap();
    let last = text.lines().last().unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    std::fs::write(at("twice.csv"), format!("{text}{last}\n")).unwrap();
    let renamed = rest.replace("\nb,", "\nc,");
    std::fs::write(at("other.csv"), format!("{first}\n{renamed}")).unwrap();

    let forecast = |file: &str, settings: &[&str]| {
        let mut config = ForecastFileConfig::of(&fitted);
        for setting in settings {
            config.set(setting).unwrap();
        }
        let account = fitted.predict_file(at(file), at("next.csv"), &config);
        account.map(|account| {
            (
                account.to_string(),
                read_table(at("next.csv"), &config.read),
            )
        })
    };
    let error = forecast("twice.csv", &[]).unwrap_err().to_string();
    assert!(error.contains("duplicates"), "{error}");
    let (account, next) = forecast("twice.csv", &["series.duplicates=last"]).unwrap();
    assert!(account.contains("time of another"), "{account}");
    let (_, whole) = forecast("bars.csv", &[]).unwrap();
    assert_eq!(next.unwrap().0, whole.unwrap().0);

    let error = forecast("other.csv", &[]).unwrap_err().to_string();
    assert!(error.contains("unknown_series"), "{error}");
    let (_, next) = forecast("other.csv", &["unknown_series=global"]).unwrap();
    assert_eq!(next.unwrap().0.n_rows(), 6);

    let error = forecast("bars.csv", &["series.targets=[\"volume\"]"]);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("columns and times of the training"),
        "{error}"
    );
    let error = ForecastFileConfig::of(&fitted).set("series.dupplicates=last");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("dupplicates"), "{error}");
}

#[test]
fn the_guides_settings_file_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/forecast.toml");
    let mut config = ForecastRunConfig::from_toml_file(&path).unwrap();
    config.validate().unwrap();
    assert_eq!(config.data, Some(path.with_file_name("bars.csv")));
    assert_eq!(config.forecaster.series.duplicates, Duplicates::Last);
    assert_eq!(config.models.len(), 2);
    config.set("forecaster.series.duplicates=first").unwrap();
    assert_eq!(config.forecaster.series.duplicates, Duplicates::First);
    let text = config.to_toml().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.toml");
    std::fs::write(&copy, text).unwrap();
    assert_eq!(ForecastRunConfig::from_toml_file(&copy).unwrap(), config);
    let wrong = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&copy, wrong.replace("e_layers", "layers")).unwrap();
    let error = ForecastRunConfig::from_toml_file(&copy)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`layers`") && error.contains("e_layers"),
        "{error}"
    );
    std::fs::write(&copy, "forecaster = 1\n").unwrap();
    let error = ForecastRunConfig::from_toml_file(&copy)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("copy.toml") && error.contains("forecaster"),
        "{error}"
    );
}
