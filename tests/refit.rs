//! Fits that end with a second run, on training and validation rows.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::data::{ColumnValues, Split, SplitConfig};
use volatilityforge::train::log::MetricsLog;
use volatilityforge::train::{BatchEvent, Flow, Observer, StartEvent, StopReason, TrainerConfig};
use volatilityforge::{
    DeviceName, Error, EstimatorConfig, FitOptions, FitReport, FittedRegressor, Refit, Table,
    TabularClassifier, TabularEstimator,
};

use crate::chain::{chain, label_column, quick, regressor};

/// Sets the flag after so many steps of a run.
pub(crate) struct StopAfter {
    run: usize,
    step: u64,
    now: usize,
    flag: Arc<AtomicBool>,
}

impl StopAfter {
    pub(crate) fn new(run: usize, step: u64, flag: &Arc<AtomicBool>) -> Self {
        Self {
            run,
            step,
            now: 0,
            flag: Arc::clone(flag),
        }
    }
}

impl Observer for StopAfter {
    fn on_train_start(&mut self, event: &StartEvent) {
        self.now = event.run;
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if (self.now, event.step) == (self.run, self.step) {
            self.flag.store(true, Ordering::Relaxed);
        }
        Flow::Continue
    }
}

fn split() -> Split {
    SplitConfig::default().split(&chain(), 0.2).unwrap()
}

fn fit(
    config: EstimatorConfig,
    split: &Split,
    options: FitOptions<'_>,
) -> Result<(FittedRegressor, FitReport), Error> {
    let device = DeviceName::Flex.open()?;
    regressor(config).fit_split(&chain(), split, &device, options)
}

/// A rate so high that an early epoch is the best, and the same in every epoch.
fn settings(refit: bool) -> EstimatorConfig {
    let mut config = quick("tabular_mlp");
    let trainer = serde_json::json!({
        "epochs": 12,
        "batch_size": 32,
        "schedule": {"name": "constant", "lr": 0.1},
        "early_stopping": {"patience": 4},
    });
    config.training = Default::default();
    config.training.config = Some(serde_json::from_value::<TrainerConfig>(trainer).unwrap());
    config.refit = refit;
    config
}

fn predicted(fitted: &FittedRegressor) -> Vec<f64> {
    fitted.predict(&chain()).unwrap()
}

#[test]
fn the_second_run_is_a_fit_to_all_rows_of_as_many_epochs_as_were_best() {
    let split = split();
    let (_, first) = fit(settings(false), &split, FitOptions::default()).unwrap();
    let (refitted, report) = fit(settings(true), &split, FitOptions::default()).unwrap();
    let scores: Vec<f64> = first.history.iter().filter_map(|r| r.score()).collect();
    let best = (0..scores.len()).min_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let epochs = best.unwrap() + 1;
    assert!(epochs < scores.len(), "{scores:?}");
    let rows = split.train.len() + split.validation.len();
    assert_eq!(report.refit, Some(Refit { rows, epochs }));
    assert_eq!((first.refit, &report.scores), (None, &first.scores));
    assert_eq!(report.history.len(), first.history.len());
    let said = format!("all {rows} rows for training and validation, {epochs} epochs");
    assert!(report.notes.iter().any(|note| note.contains(&said)));

    // By hand: at a constant rate the epochs after the best one change nothing.
    let mut train = [&split.train[..], &split.validation].concat();
    train.sort_unstable();
    let all = Split {
        train,
        ..Split::default()
    };
    let mut config = settings(false);
    let trainer = config.training.config.as_mut().unwrap();
    trainer.epochs = epochs;
    trainer.early_stopping = None;
    let (by_hand, _) = fit(config, &all, FitOptions::default()).unwrap();
    assert_eq!(predicted(&refitted), predicted(&by_hand));
}

#[test]
fn both_runs_go_on_after_a_stop_bit_by_bit() {
    let split = split();
    let log = |folder: &std::path::Path| MetricsLog::new(folder.join("log.jsonl")).every_steps(1);
    let whole_folder = tempfile::tempdir().unwrap();
    let options = FitOptions {
        observers: vec![Box::new(log(whole_folder.path()))],
        ..FitOptions::default()
    };
    let (whole, report) = fit(settings(true), &split, options).unwrap();
    let count = |folder: &std::path::Path| {
        let text = fs::read_to_string(folder.join("log.jsonl")).unwrap();
        let of = |run: &str| text.lines().filter(|line| line.contains(run)).count();
        (of(r#""run":0"#), of(r#""run":1"#))
    };
    let lines = count(whole_folder.path());
    assert!(lines.0 > lines.1 && lines.1 > 0, "{lines:?}");
    let last = report.refit.unwrap().epochs as u64 * 6;
    for (run, step) in [(0, 7), (1, 1), (1, last - 1)] {
        let folder = tempfile::tempdir().unwrap();
        let flag = Arc::new(AtomicBool::new(false));
        let stop = StopAfter::new(run, step, &flag);
        let options = FitOptions {
            observers: vec![Box::new(stop), Box::new(log(folder.path()))],
            checkpoints: Some(folder.path().join("c")),
            stop: Some(flag),
            ..FitOptions::default()
        };
        let (_, cut) = fit(settings(true), &split, options).unwrap();
        assert_eq!(cut.stopped, StopReason::Interrupted, "{run} {step}");
        assert_eq!(cut.refit, None);
        let options = FitOptions {
            observers: vec![Box::new(log(folder.path()))],
            checkpoints: Some(folder.path().join("c")),
            resume: true,
            ..FitOptions::default()
        };
        let (resumed, again) = fit(settings(true), &split, options).unwrap();
        assert_eq!(predicted(&resumed), predicted(&whole), "{run} {step}");
        assert_eq!(again.refit, report.refit);
        assert_eq!(count(folder.path()), lines, "{run} {step}");
    }
}

#[test]
fn a_threshold_is_that_of_the_validation_rows() {
    let table = chain();
    let ColumnValues::Numeric(vol) = &table.column("vol").unwrap().values else {
        panic!("no numbers");
    };
    let level = |vol: &f64| if *vol > 0.26 { "high" } else { "low" };
    let labels: Vec<&str> = vol.iter().map(level).collect();
    let mut columns = table.columns().to_vec();
    columns.push(label_column("level", &labels));
    let table = Table::new(columns).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let split = split();
    let objective = |refit: bool| {
        let mut config = settings(refit);
        config.objective = Some(
            serde_json::from_str(
                r#"{"name": "binary", "class_weights": "balanced", "threshold": "f1"}"#,
            )
            .unwrap(),
        );
        let (fitted, _) = TabularClassifier::new("level")
            .ignore(["vol"])
            .with_config(config)
            .unwrap()
            .fit_split(&table, &split, &device, FitOptions::default())
            .unwrap();
        serde_json::to_value(fitted.objective()).unwrap()
    };
    let (first, second) = (objective(false), objective(true));
    assert!(first["threshold"]["value"].is_number(), "{first}");
    assert_eq!(first["threshold"], second["threshold"]);
    // The weights of classes are those of all rows.
    assert_ne!(first["class_weights"], second["class_weights"]);
}

#[test]
fn settings_that_leave_the_end_open_are_refused() {
    type Change = fn(&mut EstimatorConfig);
    let changes: [(&str, Change); 4] = [
        ("max_seconds", |c| c.training.max_seconds = Some(9.0)),
        ("snapshots", |c| {
            c.training.snapshots = Some(Default::default())
        }),
        ("soup", |c| c.training.soup = Some(Default::default())),
        ("follows the scores", |c| {
            let plateau = serde_json::json!({"schedule": {"name": "reduce_on_plateau"}});
            c.training.config = Some(serde_json::from_value(plateau).unwrap());
        }),
    ];
    for (what, change) in changes {
        let mut config = settings(true);
        change(&mut config);
        let error = config.validate().unwrap_err();
        assert!(error.is_config(), "{error}");
        let text = error.to_string();
        assert!(text.contains("refit") && text.contains(what), "{text}");
        config.refit = false;
        config.validate().unwrap();
    }
    let replay = serde_json::from_str(r#"{"name": "replay", "memory": 50}"#).unwrap();
    let error = TabularEstimator::new("vol")
        .with_config(settings(true))
        .unwrap()
        .continual(replay, "option_type")
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("refit"), "{error}");
}
