//! Event files for TensorBoard.

mod record;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use forge_nn::ForgeError;

use super::{now, scalars};
use crate::{BatchEvent, EndEvent, EpochEvent, Flow, Observer, StartEvent};
use record::{Event, What};

/// Writes a run's losses, rates and scores as an event file that TensorBoard shows
/// (`tensorboard --logdir FOLDER`).
///
/// Tags are those of [`MetricsLog`](super::MetricsLog): `step/loss`, `step/lr` and
/// `step/samples_per_second` per optimiser step, `train/loss`, `train/lr`, `train/seconds` and
/// `validation/SCORE`, `validation_CANDIDATE/SCORE` per epoch, all over optimiser steps. Of several runs
/// of one fit the second and later ones have folders of their own in it (`run_1`, `run_2`), which
/// TensorBoard shows beside the first. Each session of a run adds a file of its own; where a run is
/// resumed or rolled back, TensorBoard is told to forget the steps after the checkpoint. Numbers are kept
/// in f32, as TensorBoard has them.
///
/// What cannot be written does not end a run: it is warned of through `tracing`, once, and
/// [`error`](Self::error) has it; nothing more is written then.
///
/// ```no_run
/// use forge_train::log::TensorBoard;
///
/// let mut board = TensorBoard::new("logs/today").every_steps(10);
/// // trainer.with_observer(&mut board)
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    /// Of the run in progress: `folder`, or one in it.
    of_run: PathBuf,
    every: u64,
    file: Option<fs::File>,
    step: u64,
    error: Option<ForgeError>,
}

impl TensorBoard {
    /// Writes into `folder`, which is made if it does not exist. One folder per run: TensorBoard takes
    /// all that is in one for the same.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            of_run: folder.clone(),
            folder,
            every: 1,
            file: None,
            step: 0,
            error: None,
        }
    }

    /// One point per `steps` optimiser steps, 1 where not said; 0: epochs only.
    #[must_use]
    pub fn every_steps(mut self, steps: u64) -> Self {
        self.every = steps;
        self
    }

    /// Why nothing is written any more.
    #[must_use]
    pub fn error(&self) -> Option<&ForgeError> {
        self.error.as_ref()
    }

    fn write(&mut self, step: u64, what: What) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.try_write(step, what) {
            let error = ForgeError::io(&self.of_run, error);
            tracing::warn!(%error, "nothing more is written for TensorBoard");
            self.error = Some(error);
        }
    }

    fn try_write(&mut self, step: u64, what: What) -> std::io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                fs::create_dir_all(&self.of_run)?;
                let mut file = create(&self.of_run)?;
                file.write_all(&Event::new(now(), 0, What::version()).record())?;
                file
            }
        };
        file.write_all(&Event::new(now(), step, what).record())?;
        self.file = Some(file);
        Ok(())
    }

    /// What came at `step` or later came from a session that was lost.
    fn forget_from(&mut self, step: u64) {
        self.write(step, What::session_start());
    }
}

impl Observer for TensorBoard {
    fn on_train_start(&mut self, event: &StartEvent) {
        self.file = None;
        self.of_run = match event.run {
            0 => self.folder.clone(),
            run => self.folder.join(format!("run_{run}")),
        };
        self.step = event.resumed_at.unwrap_or(0);
        if let Some(step) = event.resumed_at {
            self.forget_from(step + 1);
        }
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step <= self.step {
            self.forget_from(event.step);
        }
        self.step = event.step;
        if self.every > 0 && event.step.is_multiple_of(self.every) {
            self.write(event.step, What::scalars(scalars::of_step(event)));
        }
        Flow::Continue
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        self.write(event.record.step, What::scalars(scalars::of_epoch(event)));
        Flow::Continue
    }

    fn on_end(&mut self, _: &EndEvent) {
        self.file = None;
    }
}

/// A new file of a name that TensorBoard looks for. Files of a folder are read in the order of their
/// names, so that a later session comes after an earlier one.
fn create(folder: &Path) -> std::io::Result<fs::File> {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let name = format!(
        "events.out.tfevents.{:017.6}.volatilityforge.{}.{}",
        now(),
        std::process::id(),
        FILES.fetch_add(1, Ordering::Relaxed)
    );
    let mut options = OpenOptions::new();
    options
        .append(true)
        .create_new(true)
        .open(folder.join(name))
}
