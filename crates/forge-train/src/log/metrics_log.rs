//! One line of JSON per epoch, and per so many steps.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use forge_files::{WholeFile, open_regular};
use forge_nn::ForgeError;
use serde_json::{Map, Value, json};

use super::{now, scalars};
use crate::{BatchEvent, EpochEvent, Flow, Observer, StartEvent};

/// Writes `metrics.jsonl`: a line of JSON per epoch, as
///
/// ```json
/// {"kind":"epoch","run":0,"epoch":0,"step":12,"time":1764327600.5,"rows":768,"skipped":0,"best":true,"candidate":"ema","train/loss":0.41,"train/lr":0.001,"train/seconds":0.8,"validation/rmse":0.62,"validation_ema/rmse":0.62,"validation_module/rmse":0.66}
/// ```
///
/// and with [`every_steps`](Self::every_steps) one per so many steps (`"kind":"step"`, `step/loss`,
/// `step/lr`, `step/samples_per_second`). `epoch` counts from 0, `step` is that of optimiser steps done,
/// `time` is in seconds since 1970 (UTC), `run` which of several trainings of one fit it is
/// ([`StartEvent::run`](crate::StartEvent::run)). Scores are left out where they are not defined. pandas reads
/// it by `read_json(path, lines=True)`.
///
/// A run that starts anew replaces the file at its first line (the second and later ones of a fit their
/// own lines and those of the ones after); one that is resumed, or rolled back,
/// takes away the lines after the checkpoint it goes on from, so that each step stands there once. An
/// epoch's line is on the disk before the next begins.
///
/// A file that cannot be written does not end a run: it is warned of through `tracing`, once, and
/// [`error`](Self::error) has it; nothing more is written then.
///
/// ```
/// use forge_train::log::MetricsLog;
///
/// let mut log = MetricsLog::new("runs/today/metrics.jsonl").every_steps(10);
/// // trainer.with_observer(&mut log)
/// assert!(log.error().is_none());
/// ```
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    every: Option<u64>,
    file: Option<File>,
    run: usize,
    /// Lines of earlier runs, and of this one up to this step, stay when the first line is written.
    resumed_at: u64,
    /// The epoch whose line an earlier session wrote at the step where this one goes on.
    told: Option<u64>,
    step: u64,
    error: Option<ForgeError>,
}

impl MetricsLog {
    /// Writes to `path`. Its folder is made with the first line.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            every: None,
            file: None,
            run: 0,
            resumed_at: 0,
            told: None,
            step: 0,
            error: None,
        }
    }

    /// Also a line per `steps` optimiser steps; 0: none.
    #[must_use]
    pub fn every_steps(mut self, steps: u64) -> Self {
        self.every = (steps > 0).then_some(steps);
        self
    }

    /// Why nothing is written any more.
    #[must_use]
    pub fn error(&self) -> Option<&ForgeError> {
        self.error.as_ref()
    }

    fn write(&mut self, line: &Value, lasting: bool) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.try_write(line, lasting) {
            let error = ForgeError::io(&self.path, error);
            tracing::warn!(%error, "the log of metrics ends here");
            self.error = Some(error);
        }
    }

    fn try_write(&mut self, line: &Value, lasting: bool) -> std::io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let kept = kept_lines(&self.path, self.run, self.resumed_at)?;
                self.told = (kept.lines().rev().filter_map(parsed))
                    .find(|line| {
                        line["kind"] == "epoch"
                            && run_of(line) == self.run as u64
                            && line["step"] == self.resumed_at
                    })
                    .and_then(|line| line["epoch"].as_u64());
                if let Some(folder) = self.path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                WholeFile::write(&self.path, &kept)?;
                OpenOptions::new().append(true).open(&self.path)?
            }
        };
        if line["kind"] == "step" || line["epoch"].as_u64() != self.told {
            file.write_all(format!("{line}\n").as_bytes())?;
        }
        if lasting {
            file.sync_data()?;
        }
        self.file = Some(file);
        Ok(())
    }
}

impl Observer for MetricsLog {
    fn on_train_start(&mut self, event: &StartEvent) {
        self.file = None;
        self.told = None;
        self.run = event.run;
        self.resumed_at = event.resumed_at.unwrap_or(0);
        self.step = self.resumed_at;
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step <= self.step {
            // Rolled back to a checkpoint.
            self.file = None;
            self.resumed_at = event.step - 1;
        }
        self.step = event.step;
        if self
            .every
            .is_some_and(|every| event.step.is_multiple_of(every))
        {
            let head = json!({
                "kind": "step", "run": self.run, "epoch": event.epoch, "step": event.step,
                "time": now(), "rows": event.rows, "skipped": event.skipped,
            });
            self.write(&with(head, scalars::of_step(event)), false);
        }
        Flow::Continue
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        let record = event.record;
        let candidate = record.validation.first().map(|best| &best.candidate);
        let head = json!({
            "kind": "epoch", "run": self.run, "epoch": record.epoch, "step": record.step,
            "time": now(), "rows": record.rows, "skipped": record.skipped, "best": event.is_best,
            "candidate": candidate,
        });
        self.write(&with(head, scalars::of_epoch(event)), true);
        Flow::Continue
    }
}

/// `head` and these numbers; what is not finite has no place in JSON.
fn with(head: Value, numbers: Vec<(String, f64)>) -> Value {
    let mut line = match head {
        Value::Object(line) => line,
        _ => Map::new(),
    };
    let finite = numbers.into_iter().filter(|(_, value)| value.is_finite());
    line.extend(finite.map(|(name, value)| (name, value.into())));
    Value::Object(line)
}

/// The whole lines of the file about earlier runs of the fit, and about steps of this one up to `step`;
/// none of a fit that starts anew.
fn kept_lines(path: &Path, run: usize, step: u64) -> std::io::Result<String> {
    let mut text = String::new();
    let until = (run as u64, step);
    if until > (0, 0) {
        match open_regular(path) {
            Ok(mut file) => file.read_to_string(&mut text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    let of_before = |line: &&str| {
        let at = line.ends_with('\n').then(|| parsed(line)).flatten();
        at.and_then(|line| Some((run_of(&line), line["step"].as_u64()?)))
            .is_some_and(|at| at <= until)
    };
    Ok(text.split_inclusive('\n').filter(of_before).collect())
}

/// Files of before runs were counted have those of one.
fn run_of(line: &Value) -> u64 {
    line["run"].as_u64().unwrap_or(0)
}

fn parsed(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}
