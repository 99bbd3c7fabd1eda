//! Fit and predict on tables.

use volatilityforge::models::ModelConfig;
use volatilityforge::train::metric::RegressionMetrics;
use volatilityforge::{Column, DeviceName, Table, TabularRegressor};

use crate::chain::{ROWS, chain, label_column, quick};

fn actual(table: &Table) -> Vec<f64> {
    volatilityforge::data::TargetTransform::read(table, "vol", None).unwrap()
}

#[test]
fn every_model_learns_the_chain() {
    let device = DeviceName::Flex.open().unwrap();
    for model in ModelConfig::NAMES {
        let mut config = quick(model);
        config.training.epochs = 60;
        let fitted = TabularRegressor::with_config("vol", config)
            .unwrap()
            .fit(&chain(), &device)
            .unwrap();
        let metrics =
            RegressionMetrics::compute(&fitted.predict(&chain()).unwrap(), &actual(&chain()))
                .unwrap();
        assert!(metrics.r2 > 0.8, "{model}: R² {}", metrics.r2);
    }
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_another() {
    let device = DeviceName::Flex.open().unwrap();
    let predictions = |seed| {
        let mut config = quick("ft_transformer");
        config.training.seed = seed;
        let regressor = TabularRegressor::with_config("vol", config).unwrap();
        regressor
            .fit(&chain(), &device)
            .unwrap()
            .predict(&chain())
            .unwrap()
    };
    assert_eq!(predictions(3), predictions(3));
    assert_ne!(predictions(3), predictions(4));
}

/// Order of columns, extra columns and rows beside do not matter.
#[test]
fn columns_are_found_by_name_and_rows_do_not_see_each_other() {
    let device = DeviceName::Flex.open().unwrap();
    let table = chain();
    let fitted = TabularRegressor::with_config("vol", quick("ft_transformer"))
        .unwrap()
        .fit(&table, &device)
        .unwrap();
    let whole = fitted.predict(&table).unwrap();
    let mut columns = table.columns().to_vec();
    columns.reverse();
    columns.insert(1, Column::numeric("extra", vec![1.0; ROWS]));
    let swapped = Table::new(columns).unwrap();
    assert_eq!(fitted.predict(&swapped).unwrap(), whole);
    let some = fitted.predict_rows(&table, Some(&[5, 100])).unwrap();
    for (one, all) in some.iter().zip([whole[5], whole[100]]) {
        assert!((one - all).abs() < 1e-6, "{one} {all}");
    }
}

#[test]
fn unseen_labels_and_missing_cells_are_predicted() {
    let device = DeviceName::Flex.open().unwrap();
    for model in ModelConfig::NAMES {
        let fitted = TabularRegressor::with_config("vol", quick(model))
            .unwrap()
            .fit(&chain(), &device)
            .unwrap();
        let odd = Table::new(vec![
            Column::numeric("log_moneyness", vec![0.1, f64::NAN, 0.1]),
            Column::numeric("time_to_maturity", vec![f64::NAN, 0.5, 0.5]),
            label_column("option_type", &["X", "P", "binary"]),
        ])
        .unwrap();
        let predicted = fitted.predict(&odd).unwrap();
        assert_eq!(predicted.len(), 3);
        assert!(
            predicted.iter().all(|v| v.is_finite()),
            "{model}: {predicted:?}"
        );
    }
}

#[test]
fn an_empty_table_has_no_predictions() {
    let device = DeviceName::Flex.open().unwrap();
    let fitted = TabularRegressor::with_config("vol", quick("tabular_mlp"))
        .unwrap()
        .fit(&chain(), &device)
        .unwrap();
    let empty = chain().select_rows(&[]).unwrap();
    assert!(fitted.predict(&empty).unwrap().is_empty());
}

/// What the trainer tells its observers and what the registry computes agree.
#[test]
fn trainable_parameters_are_counted_alike() {
    use std::sync::{Arc, Mutex};
    use volatilityforge::FitOptions;
    use volatilityforge::data::SplitConfig;
    use volatilityforge::train::{Observer, StartEvent};

    struct Listen(Arc<Mutex<usize>>);
    impl Observer for Listen {
        fn on_train_start(&mut self, event: &StartEvent) {
            *self.0.lock().unwrap() = event.parameters;
        }
    }
    let device = DeviceName::Flex.open().unwrap();
    let split = SplitConfig::default().split(&chain(), 0.2).unwrap();
    for model in ModelConfig::NAMES {
        let told = Arc::new(Mutex::new(0));
        let options = FitOptions {
            observers: vec![Box::new(Listen(Arc::clone(&told)))],
            ..FitOptions::default()
        };
        let (_, report) = TabularRegressor::with_config("vol", quick(model))
            .unwrap()
            .fit_split(&chain(), &split, &device, options)
            .unwrap();
        assert_eq!(*told.lock().unwrap(), report.parameters, "{model}");
    }
}
