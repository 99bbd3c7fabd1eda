//! Models that look at labelled training rows, from a table to a file and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::burn::tensor::{Device, Distribution, Tensor};
use volatilityforge::data::SplitConfig;
use volatilityforge::models::{Context, ModelConfig, TabularInput, TabularSpec};
use volatilityforge::nn::{ModuleConfig, Network};
use volatilityforge::train::{BatchEvent, Flow, Observer, StopReason};
use volatilityforge::{
    DeviceName, Error, EstimatorConfig, FitOptions, FitReport, FittedRegressor, TabularRegressor,
};

use crate::allocation::peak_of;
use crate::chain::{ROWS, chain, quick, regressor, trained};

const MODELS: [&str; 2] = ["modern_nca", "tabr"];

fn fit(model: &str, options: FitOptions<'_>) -> Result<(FittedRegressor, FitReport), Error> {
    let device = DeviceName::Flex.open()?;
    let split = SplitConfig::default().split(&chain(), 0.2)?;
    regressor(quick(model)).fit_split(&chain(), &split, &device, options)
}

/// Sets the stop flag after some batches.
struct StopAfter(u64, Arc<AtomicBool>);

impl Observer for StopAfter {
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Flow::Continue
    }
}

/// What is drawn at a step does not depend on where the run was interrupted.
#[test]
fn a_resumed_run_looks_at_the_same_rows() {
    for model in MODELS {
        let whole = fit(model, FitOptions::default()).unwrap().0;
        let folder = tempfile::tempdir().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (_, report) = fit(
            model,
            FitOptions {
                observers: vec![Box::new(StopAfter(4, Arc::clone(&stop)))],
                checkpoints: Some(folder.path().into()),
                stop: Some(stop),
                ..FitOptions::default()
            },
        )
        .unwrap();
        assert_eq!(report.stopped, StopReason::Interrupted, "{model}");
        let options = FitOptions {
            checkpoints: Some(folder.path().into()),
            resume: true,
            ..FitOptions::default()
        };
        let resumed = fit(model, options).unwrap().0;
        let predictions = |fitted: &FittedRegressor| fitted.predict(&chain()).unwrap();
        assert_eq!(predictions(&resumed), predictions(&whole), "{model}");
    }
}

/// The file holds every training row and none of the others.
#[test]
fn the_file_holds_the_training_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for model in MODELS {
        let split = SplitConfig::default().split(&chain(), 0.2).unwrap();
        fit(model, FitOptions::default())
            .unwrap()
            .0
            .save(&path)
            .unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
        assert!(split.train.len() < ROWS);
        assert_eq!(shape("context.y"), [split.train.len(), 1], "{model}");
        assert_eq!(shape("context.x_cat"), [split.train.len(), 1], "{model}");
    }
}

#[test]
fn a_table_that_would_not_fit_is_refused_with_its_size() {
    let mut config = quick("modern_nca");
    config.training.context_gigabytes = Some(1e-4);
    let device = DeviceName::Flex.open().unwrap();
    let error = regressor(config).fit(&chain(), &device).unwrap_err();
    let text = error.to_string();
    for part in [
        "training.context_gigabytes",
        "190 training rows",
        "batch_size",
    ] {
        assert!(text.contains(part), "{text}");
    }
    for bad in [0.0, f64::NAN] {
        let mut config = quick("tabular_mlp");
        config.training.context_gigabytes = Some(bad);
        let error = TabularRegressor::new("vol")
            .with_config(config)
            .unwrap_err();
        assert!(error.to_string().contains("context_gigabytes"), "{error}");
    }
}

#[test]
fn what_is_no_mean_of_labels_is_refused_before_training() {
    let device = DeviceName::Flex.open().unwrap();
    let fit = |model: &str| {
        let mut config: EstimatorConfig = quick(model);
        config.objective = Some("quantiles:0.1,0.5,0.9".parse().unwrap());
        regressor(config).fit(&chain(), &device)
    };
    let error = fit("modern_nca").unwrap_err().to_string();
    assert!(error.contains("averages labels"), "{error}");
    let quantiles = fit("tabr").unwrap().predict_quantiles(&chain(), &[0.5]);
    assert_eq!(quantiles.unwrap()[0].len(), ROWS);
}

#[test]
fn several_targets_are_several_labels() {
    let device = DeviceName::Flex.open().unwrap();
    for model in MODELS {
        let fitted = TabularRegressor::targets(["vol", "log_moneyness"])
            .with_config(quick(model))
            .unwrap()
            .fit(&chain(), &device)
            .unwrap();
        let predicted = fitted.predict_rows(&chain(), Some(&[3, 4])).unwrap();
        assert_eq!(predicted.len(), 2, "{model}");
        assert!(predicted.iter().all(|y| y.is_finite()), "{model}");
    }
}

/// A batch that is the whole table looks at itself alone.
#[test]
fn one_batch_may_be_all_rows() {
    for model in MODELS {
        let mut config = quick(model);
        config.training.batch_size = Some(10 * ROWS);
        let predicted = trained(config).predict(&chain()).unwrap();
        assert!(predicted.iter().all(|y| y.is_finite()), "{model}");
    }
}

/// What a step is said to need is what it takes: of every row that is looked at, values of its
/// embeddings and distances; of `tabr`, of the rows that are found.
#[test]
fn the_size_of_a_step_is_right() {
    let device = Device::flex().autodiff();
    let table = TabularSpec {
        n_num_features: 8,
        cat_cardinalities: vec![],
        d_out: 1,
    };
    for model in MODELS {
        let config = ModelConfig::named(model)
            .and_then(|config| config.sized_for(&table))
            .unwrap();
        let module = config.init(&device);
        let step = |batch: usize, context: usize| {
            let rows = |n: usize| {
                let uniform = Distribution::Uniform(-1.0, 1.0);
                let x = Tensor::<2>::random([n, 8], uniform, &device);
                (TabularInput::numeric(x), Tensor::<2>::ones([n, 1], &device))
            };
            let (input, target) = rows(batch);
            let (others, labels) = rows(context);
            let input = input
                .with_target(target)
                .with_context(Context::labelled(others.rows, labels));
            peak_of(|| module.forward(input).sum().backward()).1 as f64
        };
        // Buffers that are kept for the next step are not asked for again.
        step(64, 100);
        let said = config.context_bytes(64, 3_000) as f64;
        let taken = step(64, 3_000);
        assert!(
            (0.6..1.7).contains(&(said / taken)),
            "{model}: {said} said, {taken} taken"
        );
    }
}
