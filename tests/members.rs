//! A network that is an ensemble in itself, with what it takes from training rows, in the file.

use volatilityforge::models::ModelConfig;
use volatilityforge::train::objective::ObjectiveConfig;
use volatilityforge::{
    DeviceName, EstimatorConfig, FittedModel, Strategy, TabularClassifier, TabularEstimator,
    TabularRegressor, Task,
};

use crate::chain::{chain, quick};

/// TabM-mini with piecewise-linear embeddings, as its presets are, but small.
fn small(binning: &str) -> EstimatorConfig {
    let json = format!(
        r#"{{"model": "tabm", "arch_type": "tabm-mini", "k": 3, "n_blocks": 1, "d_block": 8,
            "num_embeddings": {{"kind": "piecewise_linear", "d_embedding": 3,
                "binning": {{"kind": "{binning}", "n_bins": 5}}}}}}"#
    );
    EstimatorConfig {
        model: ModelConfig::from_json(&json).unwrap().into(),
        ..quick("tabm")
    }
}

fn bins(fitted: &FittedModel) -> Vec<Vec<f64>> {
    let config = serde_json::to_value(fitted.model()).unwrap();
    serde_json::from_value(config["num_embeddings"]["bins"].clone()).unwrap()
}

#[test]
fn bins_are_found_when_fitting_and_travel_with_the_model() {
    let device = DeviceName::Flex.open().unwrap();
    for binning in ["quantile", "tree"] {
        let fitted = TabularEstimator::new("vol")
            .with_config(small(binning))
            .unwrap()
            .fit(&chain(), &device)
            .unwrap();
        let found = bins(&fitted);
        // Two numbers, and one that says where one of them is missing.
        assert_eq!(found.len(), 3, "{binning}");
        assert!(found.iter().all(|edges| (2..=6).contains(&edges.len())));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        fitted.save(&path).unwrap();
        let again = FittedModel::load(&path, &device).unwrap();
        assert_eq!(again.model(), fitted.model());
        assert_eq!(
            again.predictions(&chain()).unwrap(),
            fitted.predictions(&chain()).unwrap()
        );
    }
}

/// Every objective, by the shapes of what it gives.
#[test]
fn every_task_is_trained_and_predicted() {
    let device = DeviceName::Flex.open().unwrap();
    for objective in [
        "regression:mae",
        "quantiles:0.1,0.9",
        "distribution:student_t",
    ] {
        let mut config = small("quantile");
        config.objective = Some(objective.parse::<ObjectiveConfig>().unwrap());
        let model = TabularRegressor::new("vol").with_config(config).unwrap();
        let fitted = model.fit(&chain(), &device).unwrap();
        let scores = fitted.scores(&chain(), None).unwrap();
        assert!(scores.deciding().unwrap().value.is_finite(), "{objective}");
    }
    let config = small("tree");
    let model = TabularClassifier::new("option_type")
        .with_config(config)
        .unwrap();
    let fitted = model.fit(&chain(), &device).unwrap();
    let p = fitted.predict_proba(&chain()).unwrap();
    assert!(p.iter().flatten().all(|p| (0.0..=1.0).contains(p)));
}

/// The preset itself, which has bins to find.
#[test]
fn a_model_by_its_name_needs_no_more() {
    let mut config = EstimatorConfig::named("tabm", Strategy::Fast).unwrap();
    config.training.epochs = Some(1);
    let model = TabularEstimator::new("vol").task(Some(Task::Regression));
    let fitted = model
        .with_config(config)
        .unwrap()
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap();
    assert_eq!(bins(&fitted).len(), 3);
}
