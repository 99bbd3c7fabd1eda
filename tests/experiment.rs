//! A run and its folder.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::experiment::{Experiment, ExperimentConfig, RunEvent, RunOptions, Summary};
use volatilityforge::models::ModelConfig;
use volatilityforge::train::{BatchEvent, Flow, Observer};
use volatilityforge::{Error, EstimatorConfig, Strategy};

use crate::chain::chain;

pub(crate) struct Nobody;
impl Observer for Nobody {}

/// Pulls the plug after a number of steps.
struct StopAfter(u64, Arc<AtomicBool>);
impl Observer for StopAfter {
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step >= self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Flow::Continue
    }
}

/// Trains in well under a second.
pub(crate) fn quick() -> EstimatorConfig {
    let mut estimator = EstimatorConfig {
        strategy: Strategy::Fast,
        ..EstimatorConfig::default()
    };
    estimator.training.epochs = Some(4);
    estimator.training.batch_size = Some(32);
    estimator
}

pub(crate) fn config(folder: &Path) -> ExperimentConfig {
    let data = folder.join("chain.csv");
    chain().write_csv(&data).unwrap();
    ExperimentConfig {
        data: Some(data),
        target: vec!["vol".into()],
        models: vec!["tabular_mlp".into(), "tabular_resnet".into()],
        estimator: quick(),
        ..ExperimentConfig::default()
    }
}

pub(crate) fn run(
    config: &ExperimentConfig,
    out: &Path,
    resume: bool,
    stop_after: Option<u64>,
) -> Result<Option<Summary>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    Experiment::new(config.clone())?.run(RunOptions {
        out: out.into(),
        resume,
        stop,
        on_event: Box::new(|_| {}),
        observer: Box::new(move |_| match stop_after {
            Some(steps) => Box::new(StopAfter(steps, Arc::clone(&flag))),
            None => Box::new(Nobody),
        }),
        sections: vec![Box::new(volatilityforge::chain::smiles)],
    })
}

/// Runs to the end and keeps what it said of the data.
pub(crate) fn run_with_notes(
    config: &ExperimentConfig,
    out: &Path,
) -> Result<(Summary, Vec<String>), Error> {
    let mut notes = Vec::new();
    let summary = Experiment::new(config.clone())?.run(RunOptions {
        out: out.into(),
        resume: false,
        stop: Arc::default(),
        on_event: Box::new(|event| match event {
            RunEvent::Data(data) => notes.extend(data.notes.iter().cloned()),
            RunEvent::Note(note) => notes.push((*note).into()),
            RunEvent::BaselineFailed(name, error) => panic!("{name}: {error}"),
            _ => {}
        }),
        observer: Box::new(|_| Box::new(Nobody)),
        sections: vec![Box::new(volatilityforge::chain::quotes_section)],
    })?;
    Ok((summary.unwrap(), notes))
}

#[test]
fn a_run_leaves_a_folder_that_reproduces_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let first = folder.path().join("first");
    let summary = run(&config, &first, false, None).unwrap().unwrap();
    assert_eq!(summary.models.len(), 2);
    let names: Vec<&str> = summary.baselines.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names.len(), 3);
    for name in ["mean", "ridge", "boosting"] {
        assert!(names.contains(&name));
    }
    let html = std::fs::read_to_string(first.join("report.html")).unwrap();
    for what in ["<svg", "tabular_mlp", "Smiles", "residuals over"] {
        assert!(html.contains(what), "{what}");
    }
    let json = std::fs::read_to_string(first.join("metrics.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (at, name) in ["rmse", "mae", "r2"].iter().enumerate() {
        assert_eq!(json["models"][0]["scores"][at]["name"], *name);
        assert_eq!(json["baselines"][0]["scores"][at]["name"], *name);
    }
    assert_eq!(json["models"][0]["validation"][0]["name"], "rmse");
    assert_eq!(
        (&json["rows"], &json["task"]),
        (&223.into(), &"regression".into())
    );

    let again = ExperimentConfig::from_toml_file(first.join("config.toml")).unwrap();
    assert_eq!(again, config);
    let second = folder.path().join("second");
    run(&again, &second, false, None).unwrap().unwrap();
    for file in [
        "model.safetensors",
        "tabular_resnet.safetensors",
        "sample.csv",
    ] {
        let read = |run: &Path| std::fs::read(run.join(file)).unwrap();
        assert_eq!(read(&first), read(&second), "{file}");
    }
}

/// Its frequencies are beyond f32, so that the first loss is NaN.
const DIVERGES: &str = r#"{"model": "tabular_resnet",
    "num_embeddings": {"kind": "periodic", "frequency_init_scale": 1e38}}"#;

#[test]
fn a_model_that_diverges_does_not_take_the_others_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.models = vec![
        serde_json::from_str(DIVERGES).unwrap(),
        "tabular_mlp".into(),
    ];
    let out = folder.path().join("run");
    let summary = run(&config, &out, false, None).unwrap().unwrap();
    assert_eq!(
        (summary.models.len(), summary.best.as_str()),
        (1, "tabular_mlp")
    );
    assert_eq!(summary.failed.len(), 1);
    assert_eq!(summary.failed[0].name, "tabular_resnet");
    assert!(
        summary.failed[0].error.contains("NaN"),
        "{:?}",
        summary.failed
    );
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("tabular_resnet is not among the models"));
    assert!(out.join("model.safetensors").exists());

    // Alone it is the run's error.
    config.models.pop();
    let error = run(&config, &folder.path().join("alone"), false, None).unwrap_err();
    assert!(
        error.is_training() && error.to_string().contains("NaN"),
        "{error}"
    );
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    // Starts from the training rows; rates, decay and dropout on schedules.
    config
        .models
        .push(ModelConfig::narrow("realmlp").unwrap().into());
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    run(&config, &whole, false, None).unwrap().unwrap();
    // In the middle of the first model's second epoch, then in the second model.
    assert!(run(&config, &broken, false, Some(7)).unwrap().is_none());
    assert!(!broken.join("model.safetensors").exists());
    assert!(run(&config, &broken, true, Some(11)).unwrap().is_none());
    let mut tries = 0;
    while run(&config, &broken, true, Some(17)).unwrap().is_none() {
        tries += 1;
        assert!(tries < 15);
    }
    for file in [
        "tabular_mlp.safetensors",
        "tabular_resnet.safetensors",
        "realmlp.safetensors",
        "model.safetensors",
    ] {
        let read = |run: &Path| std::fs::read(run.join(file)).unwrap();
        assert_eq!(read(&whole), read(&broken), "{file}");
    }
    // The log of metrics has each epoch once.
    for model in &config.models {
        let file = format!("metrics/{}.jsonl", model.name());
        let losses = |run: &Path| -> Vec<(serde_json::Value, serde_json::Value)> {
            let text = std::fs::read_to_string(run.join(&file)).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
            let epochs = lines.filter(|line: &serde_json::Value| line["kind"] == "epoch");
            epochs
                .map(|line| (line["epoch"].clone(), line["train/loss"].clone()))
                .collect()
        };
        assert!(!losses(&whole).is_empty(), "{file}");
        assert_eq!(losses(&whole), losses(&broken), "{file}");
    }
}

#[test]
fn going_on_with_other_settings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    let out = folder.path().join("run");
    assert!(run(&config, &out, false, Some(3)).unwrap().is_none());
    config.estimator.training.learning_rate = Some(0.5);
    let error = run(&config, &out, true, None).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("learning_rate"),
        "{error}"
    );
}

#[test]
fn a_folder_that_holds_a_run_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let out = folder.path().join("run");
    assert!(run(&config, &out, false, Some(3)).unwrap().is_none());
    let error = run(&config, &out, false, None).unwrap_err();
    assert!(error.to_string().contains("resume"), "{error}");
}

/// The settings file of the guide is valid and says what it means to.
#[test]
fn the_guides_settings_file_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/experiment.toml");
    let config = ExperimentConfig::from_toml_file(&path).unwrap();
    config.estimator.validate().unwrap();
    assert_eq!(config.models.len(), 3);
    assert_eq!(config.target, ["left"]);
    // A field that there is not is named, with those that there are.
    let text = std::fs::read_to_string(path).unwrap();
    let error = ExperimentConfig::from_toml(&text.replace("n_blocks", "blocks")).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("`blocks`") && error.contains("n_blocks"),
        "{error}"
    );
    let error =
        ExperimentConfig::from_toml(&text.replace("\"ft_transformer\"", "\"ft_trasformer\""));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("ft_transformer"), "{error}");
}

/// Boosting may take long: it is stopped too, the model is there before it starts, and what is gone on
/// with may be told to leave it out.
#[test]
fn a_run_stopped_in_its_baselines_has_its_model_and_goes_on_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.models.truncate(1);
    let out = folder.path().join("run");
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, folder_of_run) = (Arc::clone(&stop), out.clone());
    let mut begun = Vec::new();
    let stopped = Experiment::new(config.clone()).unwrap().run(RunOptions {
        out: out.clone(),
        resume: false,
        stop,
        on_event: Box::new(|event| {
            if let RunEvent::BaselineStarted(name) = event {
                begun.push((*name).to_string());
                assert!(folder_of_run.join("model.safetensors").exists());
                flag.store(true, Ordering::Relaxed);
            }
        }),
        observer: Box::new(|_| Box::new(Nobody)),
        sections: Vec::new(),
    });
    assert!(stopped.unwrap().is_none());
    assert_eq!(begun, ["mean"]);
    assert!(!out.join("metrics.json").exists());
    config.baselines = "none".parse().unwrap();
    let summary = run(&config, &out, true, None).unwrap().unwrap();
    assert!(summary.baselines.is_empty() && out.join("report.html").exists());
}

#[test]
fn only_the_baselines_that_are_named_are_fitted() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.models.truncate(1);
    config.baselines = "ridge, mean".parse().unwrap();
    let out = folder.path().join("run");
    let summary = run(&config, &out, false, None).unwrap().unwrap();
    let names: Vec<&str> = summary.baselines.iter().map(|b| b.name.as_str()).collect();
    assert!(
        names.len() == 2 && !names.contains(&"boosting"),
        "{names:?}"
    );
    // Known, but not for numbers: refused before anything is trained.
    config.baselines = "logistic".parse().unwrap();
    let error = run(&config, &folder.path().join("other"), false, None).unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_config() && text.contains("logistic") && text.contains("ridge"),
        "{text}"
    );
}
