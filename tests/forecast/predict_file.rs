//! From a file to a file, and files whatever they hold.

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
