//! Fit and predict on tables.

use volatilityforge::data::ColumnValues;
use volatilityforge::data::SplitConfig;
use volatilityforge::models::ModelConfig;
use volatilityforge::nn::StateDict;
use volatilityforge::report::learning_rates;
use volatilityforge::train::LrFinderConfig;
use volatilityforge::train::objective::ObjectiveConfig;
use volatilityforge::train::optimizer::OptimizerConfig;
use volatilityforge::{Column, DeviceName, EstimatorConfig, Strategy, Table, TabularClassifier};

use crate::chain::{ROWS, chain, label_column, learns, quick, regressor, trained};

#[test]
fn every_model_learns_the_chain() {
    for model in ModelConfig::NAMES {
        learns(model, |config| {
            let scores = trained(config).scores(&chain(), None).unwrap();
            let r2 = scores.get("r2");
            r2.is_some_and(|r2| r2 > 0.5).then_some(()).ok_or(scores)
        });
    }
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_another() {
    let predictions = |seed| {
        let mut config = quick("ft_transformer");
        config.training.seed = seed;
        trained(config).predict(&chain()).unwrap()
    };
    assert_eq!(predictions(3), predictions(3));
    assert_ne!(predictions(3), predictions(4));
}

#[test]
fn a_learning_rate_is_found_and_shown() {
    let table = chain();
    let split = SplitConfig::Random {
        fraction: 0.2,
        seed: 0,
        stratify: None,
    };
    let split = split.split(&table, 0.15).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let finder = LrFinderConfig {
        start_lr: 1e-5,
        steps: 60,
        ..LrFinderConfig::default()
    };
    let estimator = regressor(quick("tabular_mlp"));
    let curve = estimator
        .find_learning_rate(&table, &split, &device, finder)
        .unwrap();
    let rate = curve.suggestion().unwrap();
    assert!(rate > 1e-5 && rate < 1.0, "{rate}");
    let svg = learning_rates(&curve).to_svg();
    assert!(svg.starts_with("<svg xmlns=") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains(&format!("valley {rate:.1e}")), "{svg}");
    assert_eq!(svg.matches("<svg").count(), 1);
    let bad = LrFinderConfig { steps: 1, ..finder };
    let error = estimator.find_learning_rate(&table, &split, &device, bad);
    assert!(error.unwrap_err().is_config());
}

/// Order of columns, extra columns and rows beside do not matter, whatever the model sees.
#[test]
fn columns_are_found_by_name_and_a_table_may_be_cut_anywhere() {
    for model in ModelConfig::NAMES {
        let table = chain();
        let fitted = trained(quick(model));
        let whole = fitted.predict(&table).unwrap();
        let mut columns = table.columns().to_vec();
        columns.reverse();
        columns.insert(1, Column::numeric("extra", vec![1.0; ROWS]));
        let swapped = Table::new(columns).unwrap();
        assert_eq!(fitted.predict(&swapped).unwrap(), whole, "{model}");
        let some = fitted.predict_rows(&table, Some(&[5, 100])).unwrap();
        for (one, all) in some.iter().zip([whole[5], whole[100]]) {
            assert!((one - all).abs() < 1e-5, "{model}: {one} {all}");
        }
    }
}

#[test]
fn unseen_labels_and_missing_cells_are_predicted() {
    for model in ModelConfig::NAMES {
        let fitted = trained(quick(model));
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
    let fitted = trained(quick("tabular_mlp"));
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
        let (_, report) = regressor(quick(model))
            .fit_split(&chain(), &split, &device, options)
            .unwrap();
        assert_eq!(*told.lock().unwrap(), report.parameters, "{model}");
    }
}

#[test]
fn quantiles_are_in_order_and_cover_what_they_say() {
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(60);
    config.objective = Some("quantiles:0.1,0.5,0.9".parse().unwrap());
    let fitted = trained(config);
    let [low, middle, high]: [Vec<f64>; 3] = fitted
        .predict_quantiles(&chain(), &[0.1, 0.5, 0.9])
        .unwrap()
        .try_into()
        .unwrap();
    assert!(low.iter().zip(&middle).all(|(a, b)| a <= b));
    assert!(middle.iter().zip(&high).all(|(a, b)| a <= b));
    assert_eq!(fitted.predict(&chain()).unwrap(), middle);
    let coverage = fitted.scores(&chain(), None).unwrap().get("coverage_80");
    assert!(coverage.is_some_and(|c| c > 0.5), "{coverage:?}");
    for bad in [0.0, 1.0, 0.3] {
        let error = fitted.predict_quantiles(&chain(), &[bad]).unwrap_err();
        assert!(error.is_config(), "{bad}: {error}");
    }
    let values = trained(quick("tabular_mlp"));
    let error = values.predict_quantiles(&chain(), &[0.5]).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert!(values.predict_distribution(&chain()).is_err());
}

#[test]
fn distributions_have_mean_spread_and_quantiles() {
    for family in ["gaussian", "student_t"] {
        let mut config = quick("tabular_mlp");
        config.training.epochs = Some(40);
        config.objective = Some(format!("distribution:{family}").parse().unwrap());
        let fitted = trained(config);
        let (mean, std) = fitted.predict_distribution(&chain()).unwrap();
        assert_eq!(mean, fitted.predict(&chain()).unwrap());
        assert!(std.iter().all(|s| s.is_finite() && *s > 0.0), "{family}");
        let median = &fitted.predict_quantiles(&chain(), &[0.5]).unwrap()[0];
        // Symmetric families.
        let close = mean.iter().zip(median).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close, "{family}");
    }
}

#[test]
fn several_targets_are_learnt_at_once_each_in_its_unit() {
    let table = chain();
    let vol = volatilityforge::data::TargetTransform::read(&table, "vol", None).unwrap();
    let points: Vec<f64> = vol.iter().map(|v| 5_000.0 - 100.0 * v).collect();
    let mut columns = table.columns().to_vec();
    columns.push(Column::numeric("points", points.clone()));
    let table = Table::new(columns).unwrap();
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(60);
    let device = DeviceName::Flex.open().unwrap();
    let fitted = volatilityforge::TabularRegressor::targets(["vol", "points"])
        .with_config(config)
        .unwrap()
        .fit(&table, &device)
        .unwrap();
    assert_eq!(fitted.target_names(), ["vol", "points"]);
    let both = fitted.predict_all(&table).unwrap();
    let near = |predicted: &[f64], actual: &[f64], unit: f64| {
        let errors = predicted.iter().zip(actual).map(|(p, a)| (p - a).powi(2));
        (errors.sum::<f64>() / actual.len() as f64).sqrt() / unit
    };
    assert!(near(&both[0], &vol, 1.0) < 0.05);
    assert!(near(&both[1], &points, 100.0) < 0.05);
    let scores = fitted.scores(&table, None).unwrap();
    assert!(
        scores.get("rmse.0").is_some() || scores.iter().count() > 3,
        "{scores:?}"
    );
}

#[test]
fn rows_of_weight_zero_are_not_learnt() {
    let table = chain();
    let vol = volatilityforge::data::TargetTransform::read(&table, "vol", None).unwrap();
    let odd = |i: usize| i.is_multiple_of(5);
    let spoilt = vol.iter().enumerate();
    let spoilt = spoilt.map(|(i, v)| if odd(i) { 9.0 } else { *v }).collect();
    let weights = (0..ROWS).map(|i| if odd(i) { 0.0 } else { 1.0 }).collect();
    let mut columns = table.columns().to_vec();
    columns.retain(|column| column.name != "vol");
    columns.push(Column::numeric("vol", spoilt));
    columns.push(Column::numeric("weight", weights));
    let spoilt = Table::new(columns).unwrap();
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(40);
    config.validation_fraction = 0.0;
    let device = DeviceName::Flex.open().unwrap();
    let fit = |weighted: bool| {
        let regressor = regressor(config.clone());
        let regressor = if weighted {
            regressor.weights("weight")
        } else {
            regressor.ignore(["weight"])
        };
        let fitted = regressor.fit(&spoilt, &device).unwrap();
        fitted.scores(&table, None).unwrap().get("rmse").unwrap()
    };
    let (with, without) = (fit(true), fit(false));
    assert!(with < 0.5 * without, "{with} {without}");
}

#[test]
fn members_of_an_ensemble_are_averaged() {
    let device = DeviceName::Flex.open().unwrap();
    let split = volatilityforge::data::SplitConfig::default()
        .split(&chain(), 0.2)
        .unwrap();
    let member = |seed| {
        let mut config = quick("tabular_mlp");
        config.training.seed = seed;
        let options = volatilityforge::FitOptions::default();
        let fitted = regressor(config).fit_split(&chain(), &split, &device, options);
        fitted.unwrap().0
    };
    let (a, b) = (member(1), member(2));
    let each = [a.predict(&chain()).unwrap(), b.predict(&chain()).unwrap()];
    let both = a.into_model().ensemble([b.into_model()]).unwrap();
    assert_eq!(both.members().len(), 2);
    let together = both
        .clone()
        .into_regressor()
        .unwrap()
        .predict(&chain())
        .unwrap();
    for (row, predicted) in together.iter().enumerate() {
        let mean = (each[0][row] + each[1][row]) / 2.0;
        assert!((predicted - mean).abs() < 1e-12);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.safetensors");
    both.save(&path).unwrap();
    let again = volatilityforge::FittedRegressor::load(&path, &device).unwrap();
    assert_eq!(again.predict(&chain()).unwrap(), together);
    let other = trained(quick("tabular_resnet")).into_model();
    let error = both.ensemble([other]).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("model"),
        "{error}"
    );
}

#[test]
fn settings_are_one_type_in_files_and_none_is_dropped() {
    let text = r#"
        model = "tabular_mlp"
        strategy = "fast"
        validation_fraction = 0.1
        objective = { name = "quantiles", quantiles = [0.2, 0.8] }
        [training]
        learning_rate = 0.007
        epochs = 4
        config = { schedule = { name = "one_cycle", max_lr = 0.5 } }
    "#;
    let config: EstimatorConfig = toml::from_str(text).unwrap();
    config.validate().unwrap();
    // Under any schedule.
    let trainer = config.trainer(1_000).unwrap();
    assert_eq!((trainer.schedule.peak_lr(), trainer.epochs), (0.007, 4));
    assert!(matches!(
        config.objective,
        Some(ObjectiveConfig::Quantiles(_))
    ));
    let again: EstimatorConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
    assert_eq!(again, config);
    for (bad, names) in [
        ("modell = 1", "modell"),
        ("[training]\nepoch = 3", "epoch"),
        ("model = { model = \"tabular_mlp\", d_blok = 3 }", "model"),
    ] {
        let error = toml::from_str::<EstimatorConfig>(bad).unwrap_err();
        assert!(error.to_string().contains(names), "{error}");
    }
    let config = EstimatorConfig::named("ft_transformer", Strategy::Fast).unwrap();
    assert!(config.trainer(500).unwrap().batch_size < config.trainer(100_000).unwrap().batch_size);
}

/// What a model's recipe says is what its trainer does, for whatever is predicted.
#[test]
fn every_preset_is_one_the_trainer_takes() {
    for model in ModelConfig::NAMES {
        for strategy in [Strategy::Fast, Strategy::Balanced, Strategy::Accurate] {
            for objective in [None, Some("multiclass")] {
                let mut config = EstimatorConfig::named(model, strategy).unwrap();
                config.objective = objective.map(|text| text.parse().unwrap());
                config.validate().unwrap();
            }
        }
    }
    let mut config = EstimatorConfig::named("realmlp", Strategy::Accurate).unwrap();
    config.training.learning_rate = Some(0.1);
    config.training.weight_decay = Some(0.5);
    let trainer = config.trainer(100_000).unwrap();
    assert_eq!((trainer.epochs, trainer.batch_size), (256, 256));
    assert_eq!(trainer.schedule.peak_lr(), 0.1);
    assert!(trainer.early_stopping.is_none() && trainer.ema.is_none());
    assert!(trainer.select_by.is_none() && trainer.keep_last_of_equal);
    let OptimizerConfig::AdamW(optimizer) = trainer.optimizer else {
        panic!("another optimiser");
    };
    assert_eq!((optimizer.weight_decay, optimizer.beta_2), (0.5, 0.95));
    config.objective = Some("binary".parse().unwrap());
    config.training.learning_rate = None;
    let trainer = config.trainer(100_000).unwrap();
    assert_eq!(trainer.schedule.peak_lr(), 0.04);
    assert_eq!(trainer.select_by.as_deref(), Some("accuracy"));
}

#[test]
fn a_models_own_objective_holds_where_none_is_named() {
    let objective = |text: Option<&str>| {
        let mut config = quick("realmlp");
        config.training.epochs = Some(1);
        config.objective = text.map(|text| text.parse().unwrap());
        serde_json::to_value(trained(config).objective()).unwrap()
    };
    assert_eq!(objective(None)["loss"]["name"], "mse");
    assert_eq!(objective(Some("regression"))["loss"]["name"], "huber");
    let classes = TabularClassifier::new("option_type");
    let fitted = classes.with_config(quick("realmlp")).unwrap();
    let fitted = fitted
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap();
    let objective = serde_json::to_value(fitted.objective()).unwrap();
    assert_eq!(objective["label_smoothing"], 0.1);
}

/// A model that is only named is the one for the target at hand.
#[test]
fn the_architecture_follows_the_kind_of_target() {
    let mut config = EstimatorConfig::named("realmlp", Strategy::Fast).unwrap();
    config.training.epochs = Some(1);
    let device = DeviceName::Flex.open().unwrap();
    let act = |model: &ModelConfig| serde_json::to_value(model).unwrap()["act"].clone();
    let numbers = regressor(config.clone()).fit(&chain(), &device).unwrap();
    let classes = TabularClassifier::new("option_type")
        .with_config(config)
        .unwrap();
    let classes = classes.fit(&chain(), &device).unwrap();
    assert_eq!(
        (act(numbers.model()), act(classes.model())),
        ("mish".into(), "selu".into())
    );
    // It has seen the training rows before it learnt.
    let state = StateDict::from_module(&numbers.members()[0]).unwrap();
    let scale = &state.tensors["columns.scale.scale"];
    assert!(scale.iter::<f64>().all(|scale| scale != 1.0), "{scale}");
    // Within what the training rows had, whatever the rows.
    let mut far = chain().columns().to_vec();
    far[0] = Column::numeric("log_moneyness", vec![1e9; ROWS]);
    let predicted = numbers.predict(&Table::new(far).unwrap()).unwrap();
    let ColumnValues::Numeric(vol) = &chain().column("vol").unwrap().values.clone() else {
        panic!("vol is numbers");
    };
    let (low, high) = vol
        .iter()
        .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(
        predicted
            .iter()
            .all(|p| (low - 1e-6..=high + 1e-6).contains(p)),
        "{predicted:?}"
    );
}
