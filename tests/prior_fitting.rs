//! From a prior to weights, and from weights to predictions of a table that they have never seen.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::burn::tensor::Device;
use volatilityforge::data::TablePriorConfig;
use volatilityforge::experiment::{Experiment, ExperimentConfig, RunOptions};
use volatilityforge::models::{ModelConfig, Pretrained, TabPfnV1Config};
use volatilityforge::nn::{ModuleConfig, StateDict};
use volatilityforge::prior_fitting::{PriorFittingConfig, PriorTask};
use volatilityforge::train::{BatchEvent, Flow, Observer, StepContext, StopReason, TrainTask};
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, FitOptions, FittedModel, ModelChoice, Table,
    TabularEstimator,
};

use crate::chain::label_column;

fn flex() -> Device {
    DeviceName::Flex.open().unwrap()
}

fn small() -> PriorFittingConfig {
    let prior = TablePriorConfig {
        rows: 24,
        max_features: 5,
        max_classes: 3,
        ..TablePriorConfig::default()
    };
    let model = TabPfnV1Config {
        emsize: 16,
        nhead: 2,
        nhid: 16,
        nlayers: 2,
        ..TabPfnV1Config::default()
    };
    let mut config = PriorFittingConfig::new(model.into(), prior);
    (config.tables, config.validation_tables) = (12, 5);
    (config.trainer.epochs, config.trainer.batch_size) = (2, 4);
    config
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

/// The tables of a step follow from seed and step, wherever the run was stopped.
#[test]
fn a_resumed_fitting_sees_the_same_tables() {
    let config = small();
    let whole = config.fit(&flex(), FitOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = FitOptions {
        observers: vec![Box::new(StopAfter(4, Arc::clone(&stop)))],
        checkpoints: Some(folder.path().into()),
        stop: Some(stop),
        ..FitOptions::default()
    };
    let outcome = config.fit(&flex(), stopped).unwrap();
    assert_eq!(outcome.stop, StopReason::Interrupted);
    let options = || FitOptions {
        checkpoints: Some(folder.path().into()),
        resume: true,
        ..FitOptions::default()
    };
    // Another prior is another run.
    let mut other = config.clone();
    other.prior.causal = 1.0;
    let error = other.fit(&flex(), options()).unwrap_err();
    assert!(error.to_string().contains("causal"), "{error}");
    let resumed = config.fit(&flex(), options()).unwrap();
    let state = |module| StateDict::from_module(module).unwrap();
    assert_eq!(state(&resumed.module), state(&whole.module));
    assert_eq!(resumed.scores, whole.scores);
}

/// Other tables in every epoch, so that nothing is learnt by heart, and for every seed.
#[test]
fn no_table_comes_twice() {
    let device = flex().autodiff();
    let module = small().sized().unwrap().init(&device);
    let loss = |seed: u64, epoch: usize, table: usize| {
        let mut config = small();
        config.trainer.seed = seed;
        let mut task = PriorTask::new(&config, &device).unwrap();
        let at = StepContext::new(&device).at(epoch, 0);
        let loss = task.loss(&module, &[table], &at).unwrap();
        loss.into_scalar::<f32>()
    };
    assert_eq!(loss(0, 0, 1), loss(0, 0, 1));
    assert_ne!(loss(0, 0, 1), loss(0, 0, 2));
    assert_ne!(loss(0, 0, 1), loss(0, 1, 1));
    assert_ne!(loss(0, 0, 1), loss(1, 0, 1));
}

/// A minute of training would show more; this much is learnt in seconds: what the labelled rows say
/// beats the most frequent class on tables never seen.
#[test]
fn in_context_learning_is_learnt() {
    let mut config = small();
    config.prior.max_classes = 2;
    config.prior.max_features = 2;
    (config.tables, config.validation_tables) = (1_200, 0);
    (config.trainer.epochs, config.trainer.batch_size) = (2, 8);
    let outcome = config.fit(&flex(), FitOptions::default()).unwrap();
    let tables: Vec<_> = (0..200)
        .map(|i| config.prior.draw(77, i).unwrap())
        .collect();
    let task = PriorTask::new(&config, &flex()).unwrap();
    let of = |module| {
        let scores = task.scores(module, &tables).unwrap();
        let score = |name: &str| scores.find(name).unwrap().value;
        (score("accuracy"), score("majority_accuracy"))
    };
    let (accuracy, majority) = of(&outcome.module);
    let fresh = config.sized().unwrap().init(&flex());
    assert!(accuracy > majority + 0.01, "{accuracy} {majority}");
    assert!(accuracy > of(&fresh).0 + 0.1, "{accuracy} {:?}", of(&fresh));
}

/// Numbers are predicted too.
#[test]
fn numbers_have_an_rmse() {
    let mut config = small();
    config.prior.max_classes = 0;
    let outcome = config.fit(&flex(), FitOptions::default()).unwrap();
    let scores = outcome.scores.unwrap();
    let rmse = scores.find("rmse").unwrap().value;
    assert!((0.1..5.0).contains(&rmse), "{rmse}");
    assert_eq!(config.sized().unwrap().spec().d_out, 1);
}

#[test]
fn fittings_that_make_no_sense_are_refused() {
    let error = |change: &dyn Fn(&mut PriorFittingConfig)| {
        let mut config = small();
        change(&mut config);
        let error = config.fit(&flex(), FitOptions::default()).unwrap_err();
        assert!(error.is_config(), "{error}");
        error.to_string()
    };
    let mlp = ModelConfig::narrow("tabular_mlp").unwrap();
    assert!(error(&|c| c.model = mlp.clone()).contains("tabpfn_v1"));
    assert!(error(&|c| c.tables = 0).contains("tables"));
    assert!(error(&|c| c.prior.rows = 3).contains("rows"));
    assert!(error(&|c| c.trainer.batch_size = 0).contains("batch_size"));
}

/// Weights of a network of a few hundred parameters.
pub(crate) fn smallest() -> Pretrained {
    let config: ModelConfig = TabPfnV1Config {
        num_features: 2,
        n_out: 2,
        emsize: 2,
        nhead: 1,
        nhid: 2,
        nlayers: 1,
        ..TabPfnV1Config::default()
    }
    .into();
    flex().seed(3);
    Pretrained {
        model: config.init(&flex()),
        config,
    }
}

/// Weights that know nothing, in a file.
fn weights(folder: &Path) -> PathBuf {
    let config = small().sized().unwrap();
    flex().seed(3);
    let model = config.init(&flex());
    let path = folder.join("weights.safetensors");
    Pretrained { config, model }.save(&path).unwrap();
    path
}

fn table(columns: usize, classes: usize) -> Table {
    const ROWS: usize = 60;
    let number = |j: usize| (0..ROWS).map(move |i| (i * (j + 3) % 17) as f64).collect();
    let names = (0..columns).map(|j| format!("x{j}"));
    let mut all: Vec<Column> = names
        .enumerate()
        .map(|(j, name)| Column::numeric(name, number(j)))
        .collect();
    let labels: Vec<&str> = (0..ROWS)
        .map(|i| ["a", "b", "c", "d"][i % classes])
        .collect();
    all.push(label_column("class", &labels));
    Table::new(all).unwrap()
}

fn estimator(weights: &Path) -> TabularEstimator {
    let mut config = EstimatorConfig::named("tabpfn_v1", Default::default()).unwrap();
    config.model = ModelChoice::pretrained("tabpfn_v1", weights);
    TabularEstimator::new("class").with_config(config).unwrap()
}

#[test]
fn an_estimator_predicts_with_weights_that_never_saw_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = weights(folder.path());
    for classes in [2, 3] {
        let table = table(4, classes);
        let split = volatilityforge::data::SplitConfig::default();
        let split = split.split(&table, 0.2).unwrap();
        let options = FitOptions::default();
        let fitted = estimator(&path).fit_split(&table, &split, &flex(), options);
        let (fitted, report) = fitted.unwrap();
        assert!(report.history.is_empty() && report.scores.is_some());
        assert!(
            report
                .notes
                .iter()
                .any(|note| note.contains("training.epochs"))
        );
        // What was read is what predicts: the same for whoever reads it again.
        let again = estimator(&path).fit_split(&table, &split, &flex(), FitOptions::default());
        let predictions = fitted.predictions(&table).unwrap();
        assert_eq!(again.unwrap().0.predictions(&table).unwrap(), predictions);
        let file = folder.path().join("fitted.safetensors");
        fitted.save(&file).unwrap();
        let loaded = FittedModel::load(&file, &flex()).unwrap();
        assert_eq!(loaded.predictions(&table).unwrap(), predictions);
        // No row is held out where nothing is stopped by it.
        let all = estimator(&path).fit(&table, &flex()).unwrap();
        all.save(&file).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("context.y").unwrap().shape(), [60, 1]);
    }
}

#[test]
fn weights_are_trained_further_where_epochs_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = weights(folder.path());
    let mut config = EstimatorConfig {
        model: ModelChoice::pretrained("tabpfn_v1", &path),
        ..EstimatorConfig::default()
    };
    let as_they_are = estimator(&path).fit(&table(4, 3), &flex()).unwrap();
    config.training.epochs = Some(1);
    let further = TabularEstimator::new("class").with_config(config).unwrap();
    let further = further.fit(&table(4, 3), &flex()).unwrap();
    let of = |fitted: &FittedModel| StateDict::from_module(&fitted.members()[0]).unwrap();
    let (before, after) = (of(&as_they_are), of(&further));
    assert_ne!(before, after);
    // A step or two, not another start.
    let name = "layers.0.ffn_in.weight";
    let far = |state: &StateDict| state.tensors[name].iter::<f64>().collect::<Vec<_>>();
    for (before, after) in far(&before).iter().zip(far(&after)) {
        assert!((before - after).abs() < 0.02, "{before} {after}");
    }
}

#[test]
fn weights_that_do_not_fit_are_refused_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = weights(folder.path());
    let refused = |table: &Table, path: &Path| {
        let all: Vec<usize> = (0..table.n_rows()).collect();
        let split = volatilityforge::data::Split {
            train: all,
            validation: vec![],
            test: vec![],
        };
        let found = estimator(path).check(table, &split).unwrap_err();
        let fit = estimator(path).fit(table, &flex()).unwrap_err();
        assert_eq!(found.to_string(), fit.to_string());
        found.to_string()
    };
    assert!(refused(&table(6, 2), &path).contains("1 to 5 columns, the table has 6"));
    assert!(refused(&table(4, 4), &path).contains("3 classes, the target has 4"));
    let nowhere = folder.path().join("nowhere");
    assert!(refused(&table(4, 2), &nowhere).contains("nowhere"));
    let config = EstimatorConfig {
        model: ModelChoice::pretrained("tabular_mlp", &path),
        ..EstimatorConfig::default()
    };
    let error = TabularEstimator::new("class")
        .with_config(config)
        .unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("labelled rows"),
        "{error}"
    );
    let config = EstimatorConfig {
        model: ModelChoice::pretrained("tabicl", &path),
        ..EstimatorConfig::default()
    };
    let other = TabularEstimator::new("class").with_config(config).unwrap();
    let error = other.fit(&table(4, 2), &flex()).unwrap_err();
    assert!(error.to_string().contains("tabpfn_v1"), "{error}");
}

#[test]
fn a_settings_file_names_weights_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    weights(folder.path());
    table(4, 3)
        .write_csv(folder.path().join("table.csv"))
        .unwrap();
    let text = r#"
        data = "table.csv"
        target = "class"
        baselines = "majority"
        models = [{ model = "tabpfn_v1", pretrained = "weights.safetensors" }]
    "#;
    let file = folder.path().join("run.toml");
    std::fs::write(&file, text).unwrap();
    let run = |config: ExperimentConfig, resume| {
        let options = RunOptions {
            out: folder.path().join("run"),
            resume,
            stop: Arc::new(AtomicBool::new(false)),
            on_event: Box::new(|_| {}),
            observer: Box::new(|_| Box::new(StopAfter(u64::MAX, Arc::default()))),
            sections: vec![],
        };
        Experiment::new(config)
            .unwrap()
            .run(options)
            .unwrap()
            .unwrap()
    };
    let summary = run(ExperimentConfig::from_toml_file(&file).unwrap(), false);
    assert_eq!(summary.best, "tabpfn_v1");
    // The settings in the run's folder are all that it takes to do it again.
    let again = ExperimentConfig::of_run(folder.path().join("run")).unwrap();
    assert_eq!(run(again, true).best, "tabpfn_v1");
}
