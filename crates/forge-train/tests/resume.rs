use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forge_nn::burn::tensor::{Device, TensorData};
use forge_train::checkpoint::CheckpointFolder;
use forge_train::{
    BatchEvent, CheckpointConfig, EarlyStoppingConfig, EpochRecord, Flow, Observer, Start,
    StopReason, TrainOutcome, Trainer, TrainerConfig,
};
use serde_json::{Value, json};

use crate::net::{Net, Task, bits, config};

/// Sets the flag after some steps.
pub(crate) struct StopAt(pub(crate) u64, pub(crate) Arc<AtomicBool>);

impl Observer for StopAt {
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Flow::Continue
    }
}

fn run(
    config: &TrainerConfig,
    folder: &Path,
    start: Start,
    stop_at: Option<u64>,
    init: u64,
) -> TrainOutcome<Net> {
    watched(config, folder, start, stop_at, init, Vec::<StopAt>::new())
}

pub(crate) fn watched(
    config: &TrainerConfig,
    folder: &Path,
    start: Start,
    stop_at: Option<u64>,
    init: u64,
    observer: impl Observer,
) -> TrainOutcome<Net> {
    let mut task = Task::new(25);
    let flag = Arc::new(AtomicBool::new(false));
    let mut trainer = Trainer::new(config.clone())
        .unwrap()
        .with_checkpoints(folder, start)
        .with_stop_flag(flag.clone())
        .with_observer(observer);
    if let Some(step) = stop_at {
        trainer = trainer.with_observer(StopAt(step, flag));
    }
    trainer
        .fit(&mut task, Net::new(&Device::flex(), init))
        .unwrap()
}

pub(crate) fn without_seconds(history: &[EpochRecord]) -> Vec<EpochRecord> {
    let strip = |r: &EpochRecord| EpochRecord {
        seconds: 0.0,
        ..r.clone()
    };
    history.iter().map(strip).collect()
}

/// Everything in the newest checkpoint but the times.
pub(crate) fn last_state(folder: &Path) -> (Value, BTreeMap<String, TensorData>) {
    let folder = CheckpointFolder::open(folder, 2).unwrap();
    let latest = folder.latest::<Value>().unwrap().unwrap();
    let mut manifest = latest.file.manifest.clone();
    let progress = &mut manifest["progress"];
    progress["seconds"] = json!(0);
    progress["epoch_seconds"] = json!(0);
    for record in progress["history"].as_array_mut().unwrap() {
        record["seconds"] = json!(0);
    }
    (manifest, latest.file.tensors("").unwrap())
}

/// `stops` count from the start, `from_end` from the end of the run.
fn resumes_bit_equal(
    config: &TrainerConfig,
    stops: &[u64],
    from_end: &[u64],
    expected: StopReason,
) {
    let folder = tempfile::tempdir().unwrap();
    let whole = run(config, folder.path(), Start::Fresh, None, 1);
    assert_eq!(whole.stop, expected);
    let late = from_end.iter().map(|back| whole.steps - back);
    for stop in stops.iter().copied().chain(late) {
        assert!(stop < whole.steps, "{stop} of {}", whole.steps);
        let other = tempfile::tempdir().unwrap();
        let cut = run(config, other.path(), Start::Fresh, Some(stop), 1);
        assert_eq!((cut.stop, cut.steps), (StopReason::Interrupted, stop));
        // Other initial weights, which the checkpoint replaces.
        let resumed = run(config, other.path(), Start::Resume, None, 99);
        assert_eq!(resumed.stop, expected);
        assert_eq!(bits(&resumed.module), bits(&whole.module), "stop {stop}");
        assert_eq!(resumed.scores, whole.scores);
        assert_eq!(resumed.candidate, whole.candidate);
        assert_eq!(resumed.best_epoch, whole.best_epoch);
        assert_eq!(
            without_seconds(&resumed.history),
            without_seconds(&whole.history)
        );
        // Weights, averages, moments, best weights, counters.
        assert_eq!(last_state(other.path()), last_state(folder.path()));
    }
}

#[test]
fn any_step_resumes_bit_equal() {
    // 25 rows in batches of 7: 4 steps an epoch. Mid-epoch, at its end, at the first step.
    let stops: Vec<u64> = (1..20).collect();
    resumes_bit_equal(&config(5), &stops, &[], StopReason::Completed);
}

#[test]
fn every_average_resumes_bit_equal() {
    let mut all = serde_json::to_value(config(6)).unwrap();
    let averages = json!({
        "swa": {"start": 0.4},
        "polyak": {"name": "tail", "start": 0.2},
        "snapshots": {"cycles": 4, "keep": 3},
        "soup": {"keep": 3},
    });
    (all.as_object_mut().unwrap()).extend(averages.as_object().unwrap().clone());
    let all = serde_json::from_value(all).unwrap();
    resumes_bit_equal(&all, &[3, 9, 13, 17, 23], &[], StopReason::Completed);
}

#[test]
fn early_stopping_resumes_bit_equal() {
    let early = EarlyStoppingConfig {
        patience: 4,
        min_delta: 0.001,
    };
    let config = TrainerConfig {
        early_stopping: Some(early),
        validate_every: 2,
        micro_batches: 2,
        ..config(400)
    };
    // In the last 32 steps the best epoch lies before the stop: its weights come from the file.
    resumes_bit_equal(
        &config,
        &[3, 17, 24, 30],
        &[1, 9, 30],
        StopReason::EarlyStopped,
    );
}

#[test]
fn plain_runs_resume_bit_equal() {
    let config = TrainerConfig {
        ema: None,
        clip_norm: None,
        early_stopping: None,
        read_loss_every: Some(3),
        ..config(3)
    };
    resumes_bit_equal(&config, &[1, 5, 8, 11], &[], StopReason::Completed);
}

/// Whatever follows the step is that of the step, however often the run is cut.
#[test]
fn rates_decay_and_dropout_on_schedules_resume_bit_equal() {
    resumes_bit_equal(
        &scheduled(5),
        &[1, 7, 10, 13, 19],
        &[],
        StopReason::Completed,
    );
}

/// Everything that has a schedule, on one that is long done with being constant.
fn scheduled(epochs: usize) -> TrainerConfig {
    TrainerConfig {
        early_stopping: None,
        select_by: Some("rmse".into()),
        keep_last_of_equal: true,
        dropout_schedule: serde_json::from_value(json!({"name": "flat_cos"})).unwrap(),
        schedule: serde_json::from_value(
            json!({"name": "factor", "base_lr": 0.05, "factor": {"name": "cos_log"}}),
        )
        .unwrap(),
        optimizer: serde_json::from_value(json!({
            "name": "adam_w",
            "beta_2": 0.95,
            "weight_decay": 0.05,
            "decay_schedule": {"name": "flat_cos", "flat": 0.2},
            "groups": [
                {"match": ["*.bias"], "rate": 0.1, "decay": 0.0},
                {"match": ["head"], "schedule": {"name": "cosine_warmup"}, "decay": 2.0},
                {"match": ["not_there"], "optional": true},
            ],
        }))
        .unwrap(),
        ..config(epochs)
    }
}

/// Another number of epochs would stretch what follows the progress.
#[test]
fn a_run_with_factors_goes_on_for_as_long_as_it_was_planned() {
    let folder = tempfile::tempdir().unwrap();
    let constant = |epochs| TrainerConfig {
        schedule: serde_json::from_value(json!({"name": "constant", "lr": 0.01})).unwrap(),
        ..scheduled(epochs)
    };
    run(&constant(2), folder.path(), Start::Fresh, Some(3), 1);
    let error = Trainer::new(constant(3))
        .unwrap()
        .with_checkpoints(folder.path(), Start::Resume)
        .fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(
        error.to_string().contains("planned_steps = 12, must be 8"),
        "{error}"
    );
}

#[test]
fn dropout_follows_its_schedule() {
    let with = |factor: Value| {
        let config = TrainerConfig {
            dropout_schedule: serde_json::from_value(factor).unwrap(),
            ..config(2)
        };
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&config, folder.path(), Start::Fresh, None, 1);
        let losses = outcome.history.iter().map(|epoch| epoch.train_loss);
        losses.collect::<Vec<f64>>()
    };
    let (plain, falling) = (
        with(json!({"name": "constant"})),
        with(json!({"name": "flat_cos"})),
    );
    // The first epoch is the flat half.
    assert_eq!(plain[0], falling[0]);
    assert_ne!(plain[1], falling[1]);
}

#[test]
fn a_run_stopped_many_times_is_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run(&config(4), folder.path(), Start::Fresh, None, 1);
    let other = tempfile::tempdir().unwrap();
    for stop in 1..16 {
        let part = run(
            &config(4),
            other.path(),
            Start::ResumeOrFresh,
            Some(stop),
            1,
        );
        assert_eq!((part.stop, part.steps), (StopReason::Interrupted, stop));
    }
    let last = run(&config(4), other.path(), Start::Resume, None, 7);
    assert_eq!(bits(&last.module), bits(&whole.module));
    assert_eq!(last_state(other.path()), last_state(folder.path()));
}

#[test]
fn a_finished_run_gives_its_result_again() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run(&config(2), folder.path(), Start::Fresh, None, 1);
    let again = run(&config(2), folder.path(), Start::Resume, None, 3);
    assert_eq!(again.stop, StopReason::Completed);
    assert_eq!(again.steps, whole.steps);
    assert_eq!(again.history, whole.history);
    assert_eq!(bits(&again.module), bits(&whole.module));
}

#[test]
fn more_epochs_go_on_where_the_schedule_does_not_depend_on_them() {
    let constant = |epochs| TrainerConfig {
        schedule: serde_json::from_value(json!({"name": "constant", "lr": 0.01})).unwrap(),
        ..config(epochs)
    };
    let folder = tempfile::tempdir().unwrap();
    run(&constant(2), folder.path(), Start::Fresh, None, 1);
    let longer = run(&constant(4), folder.path(), Start::Resume, None, 3);
    let other = tempfile::tempdir().unwrap();
    let whole = run(&constant(4), other.path(), Start::Fresh, None, 1);
    assert_eq!(bits(&longer.module), bits(&whole.module));
}

#[test]
fn another_run_is_refused_by_field() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(2), folder.path(), Start::Fresh, Some(3), 1);
    let refusal = |config: TrainerConfig, rows: usize, identity: Value| {
        let mut task = Task::new(rows);
        Trainer::new(config)
            .unwrap()
            .with_identity(&identity)
            .unwrap()
            .with_checkpoints(folder.path(), Start::Resume)
            .fit(&mut task, Net::new(&Device::flex(), 1))
            .unwrap_err()
    };
    for (config, rows, identity, part) in [
        (
            TrainerConfig {
                seed: 8,
                ..config(2)
            },
            25,
            Value::Null,
            "seed = 8, must be 5",
        ),
        (
            TrainerConfig {
                ema: None,
                ..config(2)
            },
            25,
            Value::Null,
            "ema = null",
        ),
        (
            config(3),
            25,
            Value::Null,
            "schedule.total_steps = 12, must be 8",
        ),
        (config(2), 26, Value::Null, "training_rows = 26, must be 25"),
        (
            config(2),
            25,
            json!({"model": "x"}),
            "identity = {\"model\":\"x\"}",
        ),
    ] {
        let error = refusal(config, rows, identity);
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    // What does not change the result may change.
    let free = TrainerConfig {
        checkpoint: CheckpointConfig {
            every_steps: Some(1),
            every_epochs: None,
            keep: 1,
        },
        read_loss_every: Some(2),
        max_seconds: Some(1e6),
        ..config(2)
    };
    let resumed = run(&free, folder.path(), Start::Resume, None, 2);
    let other = tempfile::tempdir().unwrap();
    let whole = run(&config(2), other.path(), Start::Fresh, None, 1);
    assert_eq!(bits(&resumed.module), bits(&whole.module));
}

#[test]
fn starts_are_refused_where_they_would_surprise() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = Task::new(25);
    let mut attempt = |start| {
        Trainer::new(config(1))
            .unwrap()
            .with_checkpoints(folder.path(), start)
            .fit(&mut task, Net::new(&Device::flex(), 1))
    };
    let error = attempt(Start::Resume).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("has none"),
        "{error}"
    );
    attempt(Start::ResumeOrFresh).unwrap();
    let error = attempt(Start::Fresh).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("has some"),
        "{error}"
    );
    let before = CheckpointFolder::open(folder.path(), 2)
        .unwrap()
        .list()
        .unwrap();
    assert!(!before.is_empty());
    assert_eq!(attempt(Start::Overwrite).unwrap().steps, 4);
}
