//! What a run writes down while it goes on.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use forge_train::log::{MetricsLog, TensorBoard};
use forge_train::{Observer, Start, StopReason, TrainOutcome};
use serde_json::{Value, json};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

use crate::divergence::fit_watched;
use crate::net::{Net, config};
use crate::resume::watched;

/// 5 epochs of 4 steps.
fn run(
    folder: &Path,
    start: Start,
    stop_at: Option<u64>,
    observer: impl Observer,
) -> TrainOutcome<Net> {
    watched(&config(5), folder, start, stop_at, 1, observer)
}

/// The lines, without what differs between equal runs.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for name in ["time", "train/seconds", "step/samples_per_second"] {
            line.as_object_mut().unwrap().remove(name);
        }
        line
    };
    text.lines().map(line).collect()
}

#[test]
fn a_line_per_epoch_says_what_the_history_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/metrics.jsonl");
    let mut log = MetricsLog::new(&path);
    let outcome = run(&folder.path().join("c"), Start::Fresh, None, &mut log);
    assert!(log.error().is_none());
    let lines = lines(&path);
    assert_eq!(lines.len(), outcome.history.len());
    for (line, record) in lines.iter().zip(&outcome.history) {
        assert_eq!(line["kind"], "epoch");
        assert_eq!(line["epoch"], record.epoch);
        assert_eq!(line["step"], record.step);
        assert_eq!(line["rows"], record.rows);
        assert_eq!(line["train/loss"], record.train_loss);
        assert_eq!(line["train/lr"], record.lr);
        let best = &record.validation[0];
        assert_eq!(line["candidate"], best.candidate);
        let score = best.deciding().unwrap();
        assert_eq!(line[format!("validation/{}", score.name)], score.value);
        for one in &record.validation {
            let score = one.deciding().unwrap();
            let name = format!("validation_{}/{}", one.candidate, score.name);
            assert_eq!(line[&name], score.value, "{name}");
        }
    }
    let best = lines.iter().rposition(|line| line["best"] == true);
    assert_eq!(best, outcome.best_epoch);
}

/// Each step stands there once, whether a run was stopped or killed, in an epoch or after it, in the
/// middle of a line or not.
#[test]
fn a_resumed_log_is_that_of_a_run_that_was_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.jsonl");
    let log = || MetricsLog::new(&whole).every_steps(1);
    run(&folder.path().join("c"), Start::Fresh, None, log());
    let expected = lines(&whole);
    assert_eq!(expected.len(), 25);
    let all = fs::read_to_string(&whole).unwrap();
    for stop in [1, 3, 4, 6, 8, 19] {
        for killed in [false, true] {
            let at = folder.path().join(format!("{stop}{killed}"));
            let path = at.join("metrics.jsonl");
            let log = || MetricsLog::new(&path).every_steps(1);
            let cut = run(&at, Start::Fresh, Some(stop), log());
            assert_eq!(cut.stop, StopReason::Interrupted);
            if killed {
                // It had gone on after the checkpoint.
                fs::write(&path, &all[..all.len() - 9]).unwrap();
            }
            run(&at, Start::Resume, None, log());
            assert_eq!(lines(&path), expected, "{stop} {killed}");
        }
    }
    // A run that starts anew does not go on with what is there.
    run(&folder.path().join("d"), Start::Fresh, None, log());
    assert_eq!(lines(&whole), expected);
}

/// The run goes back twice: to the checkpoint after its first epoch, then to its start.
#[test]
fn a_run_that_goes_back_has_each_step_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, board) = (folder.path().join("metrics.jsonl"), folder.path().join("b"));
    let rollback = json!({"rollback": {"factor": 0.1, "most": 3}});
    let both: Vec<Box<dyn Observer>> = vec![
        Box::new(MetricsLog::new(&path).every_steps(1)),
        Box::new(TensorBoard::new(&board)),
    ];
    let outcome = fit_watched(rollback, Some(&folder.path().join("c")), both).unwrap();
    let lines = lines(&path);
    let of = |kind: &str, what: &str| -> Vec<u64> {
        let lines = lines.iter().filter(|line| line["kind"] == kind);
        lines.map(|line| line[what].as_u64().unwrap()).collect()
    };
    assert_eq!(of("step", "step"), (1..=40).collect::<Vec<_>>());
    assert_eq!(of("epoch", "epoch"), (0..20).collect::<Vec<_>>());
    // The lines are of the run as it went on, at its last rates.
    for (line, record) in
        (lines.iter().filter(|line| line["kind"] == "epoch")).zip(&outcome.history)
    {
        assert_eq!(line["train/loss"], record.train_loss);
    }
    // TensorBoard is told twice to forget: from the step where the run goes on.
    let starts: Vec<u8> = (events(&board).iter())
        .filter(|event| event[9..].ends_with(&[0x3a, 2, 0x08, 1]))
        .map(|event| event[10])
        .collect();
    assert_eq!(starts, [3, 1]);
}

#[test]
fn a_log_that_cannot_be_written_ends_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "kept").unwrap();
    let mut log = MetricsLog::new(file.join("metrics.jsonl"));
    let mut board = TensorBoard::new(&file);
    let both: Vec<&mut dyn Observer> = vec![&mut log, &mut board];
    let outcome = run(&folder.path().join("c"), Start::Fresh, None, both);
    assert_eq!(outcome.stop, StopReason::Completed);
    for error in [log.error(), board.error()] {
        assert!(error.unwrap().to_string().contains("file"), "{error:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

/// The events of a folder's files, in the order of their names: seconds, step and the rest.
fn events(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let mut events = vec![];
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_string();
        assert!(name.starts_with("events.out.tfevents."), "{name}");
        let bytes = fs::read(&file).unwrap();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            events.push(rest[12..12 + length].to_vec());
            rest = &rest[16 + length..];
        }
    }
    events
}

/// `docs/training.md` says how TensorBoard itself reads such a folder; here what it holds.
#[test]
fn tensorboard_has_every_step_and_epoch_and_is_told_of_a_resumption() {
    let folder = tempfile::tempdir().unwrap();
    let (board, at) = (folder.path().join("board"), folder.path().join("c"));
    run(&at, Start::Fresh, Some(6), TensorBoard::new(&board));
    let first = events(&board);
    // The version, six steps, an epoch.
    assert_eq!(first.len(), 1 + 6 + 1);
    let version = [&[0x1a, 13][..], b"brain.Event:2"].concat();
    assert_eq!(first[0][0], 0x09);
    assert_eq!(first[0][9..], version);
    run(&at, Start::Resume, None, TensorBoard::new(&board));
    let all = events(&board);
    let second = &all[first.len()..];
    assert_eq!(second.len(), 2 + 14 + 4);
    // Step 7 and a session log that says `START`.
    assert_eq!(second[1][9..], [0x10, 7, 0x3a, 2, 0x08, 1]);
    let tagged = |tag: &str| {
        let holds = |event: &&Vec<u8>| event.windows(tag.len()).any(|at| at == tag.as_bytes());
        all.iter().filter(holds).count()
    };
    assert_eq!((tagged("step/loss"), tagged("train/loss")), (20, 5));
}

/// Keeps the name of every span.
struct Spans(Arc<Mutex<Vec<&'static str>>>);

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut names = self.0.lock().unwrap();
        names.push(attributes.metadata().name());
        Id::from_u64(names.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_run_its_steps_and_its_checkpoints_are_spans() {
    let folder = tempfile::tempdir().unwrap();
    let names = Arc::default();
    tracing::subscriber::with_default(Spans(Arc::clone(&names)), || {
        run(
            folder.path(),
            Start::Fresh,
            None,
            Vec::<&mut dyn Observer>::new(),
        )
    });
    let names = names.lock().unwrap();
    let count = |name: &str| names.iter().filter(|one| **one == name).count();
    assert_eq!((count("fit"), count("step")), (1, 20));
    // One per epoch at least.
    assert!(count("checkpoint") >= 5, "{names:?}");
}
