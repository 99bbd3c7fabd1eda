//! Averages, samplers, augmentation and precision from a table: by the estimator's settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::data::SplitConfig;
use volatilityforge::experiment::ExperimentConfig;
use volatilityforge::models::ModelConfig;
use volatilityforge::nn::Forward;
use volatilityforge::train::objective::{Multiclass, Objective, Targets};
use volatilityforge::train::precision::Precision;
use volatilityforge::train::{BatchEvent, Flow, Observer, StopReason};
use volatilityforge::{
    DeviceName, Error, EstimatorConfig, FitOptions, FitReport, FittedModel, FittedRegressor,
    TabularClassifier, TabularEstimator, Task, TrainingSettings,
};

use crate::chain::{chain, quick, regressor};

/// The quick settings of a model with training fields as a file has them.
fn with(model: &str, training: &str) -> EstimatorConfig {
    let mut all = toml::from_str::<toml::Table>(training).unwrap();
    for (name, value) in [("epochs", 3), ("batch_size", 64)] {
        all.entry(name).or_insert(toml::Value::Integer(value));
    }
    EstimatorConfig {
        training: all.try_into::<TrainingSettings>().unwrap(),
        ..quick(model)
    }
}

fn fit(
    config: EstimatorConfig,
    options: FitOptions<'_>,
) -> Result<(FittedRegressor, FitReport), Error> {
    let device = DeviceName::Flex.open()?;
    let split = SplitConfig::default().split(&chain(), 0.2)?;
    regressor(config).fit_split(&chain(), &split, &device, options)
}

#[test]
fn an_ensemble_of_snapshots_is_one_model() {
    // Three cycles of a rate that is far too high: one end is worse than their mean.
    let config = with(
        "tabular_mlp",
        "epochs = 12\nlearning_rate = 0.2\nsnapshots = { cycles = 3 }\nema = false",
    );
    let (fitted, report) = fit(config, FitOptions::default()).unwrap();
    let members = fitted.members().len();
    match report.candidate.as_str() {
        "snapshots" => assert_eq!(members, 3),
        _ => assert_eq!((report.candidate.as_str(), members), ("module", 1)),
    }
    assert!(report.scores.is_some());
}

#[test]
fn every_piece_trains_and_resumes_bit_equal() {
    struct StopAfter(u64, Arc<AtomicBool>);
    impl Observer for StopAfter {
        fn on_batch(&mut self, event: &BatchEvent) -> Flow {
            if event.step == self.0 {
                self.1.store(true, Ordering::Relaxed);
            }
            Flow::Continue
        }
    }
    for (model, training) in [
        ("tabular_mlp", "augmentation = { mixup = 0.3, noise = 0.1 }"),
        (
            "ft_transformer",
            "augmentation = { cutmix = 1.0, mask = 0.1 }",
        ),
        (
            "saint",
            "augmentation = { cutmix = 1.0 }\npolyak = { name = \"uniform\" }",
        ),
        (
            "tabular_resnet",
            "sampler = { name = \"stratified\", bins = 4 }\nmicro_batches = 2\nswa = { start = 0.3 }",
        ),
        (
            "tabular_mlp",
            "sampler = { name = \"groups\", by = { column = \"option_type\" } }",
        ),
        (
            "tabular_mlp",
            "sampler = { name = \"time_ordered\", by = { column = \"log_moneyness\" }, shuffle_batches = true }\nsoup = { keep = 2 }",
        ),
        ("ft_transformer", "gradient_checkpointing = true"),
    ] {
        let config = || with(model, training);
        let predicted = |fitted: &FittedRegressor| fitted.predict(&chain()).unwrap();
        let (whole, report) = fit(config(), FitOptions::default()).unwrap();
        assert!(
            predicted(&whole).iter().all(|y| y.is_finite()),
            "{training}"
        );
        let steps = report.history.last().unwrap().step;
        let folder = tempfile::tempdir().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let options = FitOptions {
            observers: vec![Box::new(StopAfter(steps / 2, Arc::clone(&stop)))],
            checkpoints: Some(folder.path().into()),
            stop: Some(stop),
            ..FitOptions::default()
        };
        let (_, cut) = fit(config(), options).unwrap();
        assert_eq!(cut.stopped, StopReason::Interrupted);
        let options = FitOptions {
            checkpoints: Some(folder.path().into()),
            resume: true,
            ..FitOptions::default()
        };
        let (resumed, _) = fit(config(), options).unwrap();
        assert_eq!(
            predicted(&resumed),
            predicted(&whole),
            "{model}: {training}"
        );
    }
}

#[test]
fn augmentation_changes_the_training_and_belongs_to_it() {
    let plain = fit(with("tabular_mlp", ""), FitOptions::default())
        .unwrap()
        .0;
    let noisy = with("tabular_mlp", "augmentation = { noise = 0.3 }");
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = || FitOptions {
        checkpoints: Some(folder.path().into()),
        resume: true,
        ..FitOptions::default()
    };
    let fitted = fit(noisy, checkpoints()).unwrap().0;
    assert_ne!(
        fitted.predict(&chain()).unwrap(),
        plain.predict(&chain()).unwrap()
    );
    let error = fit(with("tabular_mlp", ""), checkpoints()).unwrap_err();
    assert!(error.to_string().contains("augmentation"), "{error}");
}

#[test]
fn a_share_of_two_losses_is_the_loss_of_a_soft_target() {
    let mut classes = Multiclass::default();
    classes
        .fit(&Targets::new(1, vec![0.0, 1.0, 2.0]).unwrap())
        .unwrap();
    let device = Device::flex();
    let logits = Tensor::<2>::from_data([[0.3, -1.2, 2.0], [1.0, 0.5, -0.5]], &device);
    let loss = |y: [f32; 2]| -> f32 {
        let y = Tensor::<1>::from_data(y, &device).unsqueeze_dim(1);
        classes
            .loss(&Forward::from(logits.clone()), y, None)
            .into_scalar()
    };
    let mixed = 0.3 * loss([0.0, 2.0]) + 0.7 * loss([1.0, 2.0]);
    let soft = Tensor::<2>::from_data([[0.3, 0.7, 0.0], [0.0, 0.0, 1.0]], &device);
    let log_p = volatilityforge::burn::tensor::activation::log_softmax(logits.clone(), 1);
    let expected: f32 = (soft * log_p).sum_dim(1).neg().mean().into_scalar();
    assert!((mixed - expected).abs() < 1e-6, "{mixed} {expected}");
    // And it trains.
    let config = with(
        "tabular_mlp",
        "augmentation = { mixup = 0.4 }\nsampler = { name = \"balanced\" }",
    );
    let model = TabularClassifier::new("option_type")
        .with_config(config)
        .unwrap();
    let fitted = model
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap();
    let p = fitted.predict_proba(&chain()).unwrap();
    assert!(p.iter().flatten().all(|p| (0.0..=1.0).contains(p)));
}

#[test]
fn what_does_not_go_together_is_refused_before_the_first_step() {
    let device = DeviceName::Flex.open().unwrap();
    for (model, training, part) in [
        (
            "ft_transformer",
            "augmentation = { mixup = 0.2 }",
            "augmentation.mixup = 0.2: the model takes 1 column(s) of labels as codes",
        ),
        (
            "tabr",
            "augmentation = { cutmix = 1.0 }",
            "tabr looks at labelled rows",
        ),
        (
            "tabular_mlp",
            "augmentation = { mask = 1.5 }",
            "augmentation.mask = 1.5",
        ),
        ("tabular_mlp", "precision = \"bf16\"", "precision = bf16"),
        (
            "tabular_mlp",
            "sampler = { name = \"weighted\" }",
            "sampler.by = weight",
        ),
        (
            "tabular_mlp",
            "sampler = { name = \"groups\", by = { column = \"day\" } }",
            "day",
        ),
        (
            "tabular_mlp",
            "sampler = { name = \"time_ordered\", by = { column = \"option_type\" } }",
            "labels have no order",
        ),
        (
            "tabular_mlp",
            "sampler = { name = \"stratified\", by = { column = \"time_to_maturity\" } }",
            "missing in training row",
        ),
        (
            "tabular_mlp",
            "snapshots = { cycles = 1 }",
            "snapshots.cycles = 1",
        ),
        ("tabular_mlp", "soup = { keep = 1 }", "soup.keep = 1"),
        (
            "tabular_mlp",
            "polyak = { name = \"tail\", start = 1.0 }",
            "polyak.start = 1",
        ),
    ] {
        let config = with(model, training);
        let estimator = TabularEstimator::new("vol").task(Some(Task::Regression));
        let error = estimator
            .with_config(config)
            .and_then(|estimator| estimator.fit(&chain(), &device))
            .unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn checkpointing_trains_to_the_same_weights() {
    let run = |on: bool| {
        let json = r#"{"model": "ft_transformer", "n_blocks": 3, "d_block": 8,
            "attention_n_heads": 2, "attention_dropout": 0.0, "ffn_dropout": 0.0}"#;
        let config = EstimatorConfig {
            model: ModelConfig::from_json(json).unwrap().into(),
            ..with("ft_transformer", &format!("gradient_checkpointing = {on}"))
        };
        fit(config, FitOptions::default())
            .unwrap()
            .0
            .predict(&chain())
            .unwrap()
    };
    let (kept, again) = (run(false), run(true));
    let worst = kept
        .iter()
        .zip(&again)
        .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
    assert!(worst < 1e-4, "{worst:e}");
}

#[test]
fn an_experiment_reads_the_column_that_its_sampler_goes_by() {
    let folder = tempfile::tempdir().unwrap();
    let config = crate::experiment::config(folder.path());
    let mut config = ExperimentConfig {
        models: vec!["tabular_mlp".into()],
        ignore: vec!["option_type".into()],
        ..config
    };
    let sampler = r#"{"name": "groups", "by": {"column": "option_type"}}"#;
    config.estimator.training.sampler = Some(serde_json::from_str(sampler).unwrap());
    let summary = crate::experiment::run(&config, &folder.path().join("run"), false, None);
    assert!(summary.unwrap().is_some());
}

#[test]
fn weights_in_half_precision_are_half_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"{"model": "tabular_mlp", "n_blocks": 2, "d_block": 128}"#;
    let config = EstimatorConfig {
        model: ModelConfig::from_json(json).unwrap().into(),
        ..with("tabular_mlp", "")
    };
    let fitted = fit(config, FitOptions::default()).unwrap().0;
    let exact = fitted.predict(&chain()).unwrap();
    let scale = exact.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
    let size = |precision: Precision| {
        let path = folder.path().join(format!("{precision:?}.safetensors"));
        fitted.save_in(&path, precision).unwrap();
        let again = FittedModel::load(&path, &DeviceName::Flex.open().unwrap()).unwrap();
        let found = again.into_regressor().unwrap().predict(&chain()).unwrap();
        let worst = exact
            .iter()
            .zip(&found)
            .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
        (std::fs::metadata(&path).unwrap().len(), worst / scale)
    };
    let (whole, none) = size(Precision::F32);
    assert_eq!(none, 0.0);
    for (precision, bound) in [(Precision::F16, 1e-3), (Precision::Bf16, 1e-2)] {
        let (half, error) = size(precision);
        assert!(half * 100 < whole * 60, "{half} of {whole} bytes");
        assert!(error > 0.0 && error < bound, "{precision:?}: {error:e}");
    }
}
