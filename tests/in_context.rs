//! Models that predict from rows in their context: the ordinary way from a table to a file and back,
//! and what they cost.

use volatilityforge::burn::tensor::{Device, Distribution, Tensor};
use volatilityforge::models::{
    Context, ModelConfig, RowContext, Strategy, TabularInput, TabularSpec,
};
use volatilityforge::nn::{ModuleConfig, Network};
use volatilityforge::train::objective::Predictions;
use volatilityforge::{
    Column, DeviceName, FittedModel, Table, TabularClassifier, TabularEstimator, TabularRegressor,
};

use crate::allocation::peak_of;
use crate::chain::{ROWS, chain, label_column, quick};

/// Trains, and finds the same predictions in the file.
fn through_a_file(target: &str, table: &Table, objective: &str) -> FittedModel {
    let device = DeviceName::Flex.open().unwrap();
    let mut config = quick("tabpfn_v2");
    config.objective = Some(objective.parse().unwrap());
    let estimator = TabularEstimator::new(target).with_config(config).unwrap();
    let fitted = estimator.fit(table, &device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fitted.save(&path).unwrap();
    let read = FittedModel::load(&path, &device).unwrap();
    let predicted = fitted.predictions(table).unwrap();
    assert_eq!(read.predictions(table).unwrap(), predicted, "{objective}");
    assert_eq!(predicted.rows(), ROWS);
    read
}

#[test]
fn tabpfn_learns_numbers_with_a_number_or_with_buckets() {
    let table = chain();
    through_a_file("vol", &table, "regression");
    let fitted = through_a_file("vol", &table, "bars:20");
    let predicted = fitted.predictions(&table).unwrap();
    assert!(matches!(predicted, Predictions::Bars { .. }));
    let score = fitted.scores(&table, None).unwrap();
    assert_eq!(score.deciding().unwrap().name, "nll");
    // The mean, the quantiles that the objective shows, the spread.
    let names: Vec<String> = fitted
        .prediction_columns(&table)
        .unwrap()
        .into_iter()
        .map(|column| column.name)
        .collect();
    let expected = ["predicted_vol", "quantile_0.1_vol", "quantile_0.5_vol"];
    assert_eq!(names[..3], expected);
    assert_eq!(names[3..], ["quantile_0.9_vol", "std_vol"]);
    let low = predicted.quantile(0.05).unwrap();
    let high = predicted.quantile(0.95).unwrap();
    assert!(low.iter().zip(&high).all(|(low, high)| low < high));
    let (mean, spread) = (predicted.point(), predicted.std().unwrap().into_owned());
    let inside = |y: &f64| (0.1..0.5).contains(y);
    assert!(mean.iter().all(inside) && spread.iter().all(|s| *s > 0.0));
}

#[test]
fn tabpfn_learns_classes() {
    let fitted = through_a_file("option_type", &chain(), "binary");
    assert_eq!(fitted.classes().unwrap(), ["C", "P"]);
    let mut columns = chain().columns().to_vec();
    let labels: Vec<&str> = (0..ROWS).map(|i| ["a", "b", "c"][i % 3]).collect();
    columns.push(label_column("kind", &labels));
    let fitted = through_a_file("kind", &Table::new(columns).unwrap(), "multiclass");
    let ModelConfig::TabPfnV2(config) = fitted.model() else {
        panic!("{:?}", fitted.model());
    };
    assert_eq!(config.max_num_classes, 3, "labels are taken for classes");
}

/// Buckets are for any model, and for several targets.
#[test]
fn any_model_may_have_buckets() {
    let device = DeviceName::Flex.open().unwrap();
    let mut config = quick("tabular_mlp");
    config.objective = Some("bars:12".parse().unwrap());
    let fitted = TabularRegressor::targets(["vol", "log_moneyness"])
        .with_config(config)
        .unwrap()
        .fit(&chain(), &device)
        .unwrap();
    let quantiles = fitted.predict_quantiles(&chain(), &[0.1, 0.9]).unwrap();
    assert_eq!(quantiles.len(), 2);
    assert!(
        quantiles[0]
            .iter()
            .zip(&quantiles[1])
            .all(|(low, high)| low <= high)
    );
}

/// A target that never varies is predicted as it is.
#[test]
fn buckets_of_a_constant_target_are_that_constant() {
    let device = DeviceName::Flex.open().unwrap();
    let mut columns = chain().columns().to_vec();
    columns.push(Column::numeric("one", vec![3.5; ROWS]));
    let table = Table::new(columns).unwrap();
    let mut config = quick("tabular_mlp");
    config.objective = Some("bars:12".parse().unwrap());
    let estimator = TabularEstimator::targets(["vol", "one"]).with_config(config);
    let fitted = estimator.unwrap().fit(&table, &device).unwrap();
    let predicted = fitted.predictions(&table).unwrap();
    assert_eq!(predicted.point_of(1), vec![3.5; ROWS]);
    assert!(predicted.point_of(0).iter().all(|y| *y < 1.0));
}

#[test]
fn tables_that_would_not_fit_are_refused_with_their_size() {
    let device = DeviceName::Flex.open().unwrap();
    for model in ["saint", "tabpfn_v1", "tabpfn_v2"] {
        let mut config = quick(model);
        config.training.context_gigabytes = Some(1e-6);
        let fit = TabularRegressor::new("vol").with_config(config).unwrap();
        let error = fit.fit(&chain(), &device).unwrap_err().to_string();
        for part in ["training.context_gigabytes", "batch_size", model] {
            assert!(error.contains(part), "{error}");
        }
    }
    let classifier = TabularClassifier::new("option_type").with_config(quick("tabpfn_v2"));
    classifier.unwrap().fit(&chain(), &device).unwrap();
}

/// What a step is said to need for more rows is what it takes for them.
#[test]
fn the_size_of_a_step_is_right() {
    let device = Device::flex().autodiff();
    let table = TabularSpec {
        n_num_features: 9,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    let mut found = vec![];
    for model in ["saint", "tabpfn_v1", "tabpfn_v2"] {
        let config = ModelConfig::preset(model, Strategy::Balanced)
            .unwrap()
            .config;
        let config = config.sized_for(&table).unwrap();
        let module = config.init(&device);
        let labelled = config.capabilities().rows == RowContext::Labelled;
        let step = |batch: usize, context: usize| {
            let rows = |n: usize| {
                let uniform = Distribution::Uniform(-1.0, 1.0);
                TabularInput::numeric(Tensor::<2>::random([n, 9], uniform, &device))
            };
            let mut input = rows(batch);
            if labelled {
                let labels = Tensor::<2>::ones([context, 1], &device);
                input = input.with_context(Context::labelled(rows(context).rows, labels));
            }
            // What earlier steps and tests left would be used again, and not be asked for.
            volatilityforge::nn::ops::release_buffers();
            peak_of(|| module.forward(input).sum().backward()).1 as f64
        };
        let both = |rows: usize| {
            let context = if labelled { rows } else { 0 };
            (
                config.context_bytes(rows, context) as f64,
                step(rows, context),
            )
        };
        let ((few, taken_few), (many, taken_many)) = (both(200), both(800));
        let (said, taken) = (many - few, taken_many - taken_few);
        found.push((model, said, taken));
    }
    let right = |(_, said, taken): &(&str, f64, f64)| (0.6..1.7).contains(&(said / taken));
    assert!(found.iter().all(right), "(model, said, taken): {found:?}");
}
