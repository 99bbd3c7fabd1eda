//! When and how checkpoints of a run are written and read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use forge_nn::{ForgeError, TensorFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::divergence::Rollbacks;
use super::progress::Progress;
use super::run::Run;
use super::{CheckpointConfig, TrainTask};
use crate::checkpoint::{CheckpointFile, CheckpointFolder, Sections, bounded_json};

/// The name of the section of the task's own state.
const TASK: &str = "task";

/// What to do about checkpoints that are already in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Begin anew; refuse if there are any.
    Fresh,
    /// Go on from the newest; refuse if there are none.
    Resume,
    /// Go on from the newest if there is one, else begin anew.
    ResumeOrFresh,
    /// Begin anew, removing them.
    Overwrite,
}

/// What a checkpoint holds beside its tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// What must be the same for the run to go on.
    #[serde(deserialize_with = "bounded_json::value")]
    pub(super) identity: Value,
    progress: Progress,
    /// One entry per section.
    #[serde(deserialize_with = "bounded_json::by_name")]
    parts: BTreeMap<String, Value>,
}

/// Writes checkpoints when they are due.
pub(super) struct Saver {
    pub(super) folder: CheckpointFolder,
    pub(super) identity: Value,
    pub(super) config: CheckpointConfig,
    /// The last one that was written or read.
    pub(super) last: Option<PathBuf>,
    /// The one that a run was taken back to.
    back_to: Option<PathBuf>,
}

impl Saver {
    /// Opens the folder; also gives the checkpoint to go on from, if there is to be one.
    pub(super) fn open(
        path: &Path,
        start: Start,
        config: CheckpointConfig,
        identity: Value,
    ) -> Result<(Self, Option<CheckpointFile<Manifest>>), ForgeError> {
        let folder = CheckpointFolder::open(path, config.keep)?;
        let refuse = |value: &str, allowed: &str| {
            let value = format!("{value} ({})", path.display());
            Err(ForgeError::config("checkpoints", value, allowed))
        };
        let saved = match start {
            Start::Fresh => {
                if !folder.list()?.is_empty() {
                    return refuse("a folder that has some", "resumed, or a folder without");
                }
                None
            }
            Start::Overwrite => {
                folder.clear()?;
                None
            }
            Start::Resume => {
                let saved = folder.latest()?;
                if saved.is_none() {
                    return refuse("a folder that has none", "a folder with some, to resume");
                }
                saved
            }
            Start::ResumeOrFresh => folder.latest()?,
        };
        let saver = Self {
            folder,
            identity,
            config,
            last: saved.as_ref().map(|saved| saved.path.clone()),
            back_to: None,
        };
        Ok((saver, saved))
    }

    pub(super) fn save<T: TrainTask>(&mut self, run: &mut Run<'_, T>) -> Result<(), ForgeError> {
        let _span = tracing::info_span!("checkpoint", step = run.engine.steps_done()).entered();
        let (tensors, parts) = run.sections()?.into_file();
        bounded_json::check(&parts)?;
        let manifest = Manifest {
            identity: self.identity.clone(),
            progress: run.progress.clone(),
            parts,
        };
        self.last = Some(self.folder.write(&manifest, &tensors)?);
        run.pace.tick(&mut run.progress);
        Ok(())
    }

    pub(super) fn step_is_due(&self, step: u64) -> bool {
        self.config
            .every_steps
            .is_some_and(|every| step.is_multiple_of(every))
    }

    pub(super) fn epoch_is_due(&self, epochs: usize) -> bool {
        self.config
            .every_epochs
            .is_some_and(|every| epochs.is_multiple_of(every))
    }

    /// Takes the last checkpoint up again, at lower rates; whether it could, given how often that was
    /// done before. One that the run was taken back to already, and diverged from again, was too late:
    /// it makes way for the one before it, if there is one.
    pub(super) fn roll_back<T: TrainTask>(
        &mut self,
        run: &mut Run<'_, T>,
    ) -> Result<bool, ForgeError> {
        let Some(next) = run.rollbacks.and_then(Rollbacks::next) else {
            return Ok(false);
        };
        let newest = self.folder.list()?.pop().map(|(_, path)| path);
        if newest.is_some() && newest == self.back_to {
            self.folder.remove_newest()?;
        }
        let Some(saved) = self.folder.latest::<Manifest>()? else {
            return Ok(false);
        };
        self.back_to = Some(saved.path.clone());
        self.last = Some(saved.path.clone());
        let seconds = run.progress.seconds;
        run.restore(&saved.file)?;
        // A budget counts what was in vain, too.
        run.progress.seconds = run.progress.seconds.max(seconds);
        run.rollbacks = Some(next);
        run.settle();
        tracing::warn!(
            checkpoint = %saved.path.display(),
            rollbacks = next.done(),
            rates = next.factor(),
            "the run diverged and goes on from its last checkpoint at lower rates"
        );
        Ok(true)
    }

    /// Adds to a training error where the last good state is.
    pub(super) fn locate(&self, error: ForgeError) -> ForgeError {
        match &self.last {
            Some(path) if error.is_training() => ForgeError::training(format!(
                "{}; the last good checkpoint is {}",
                error.reason(),
                path.display()
            )),
            _ => error,
        }
    }
}

impl<T: TrainTask> Run<'_, T> {
    /// The whole state of the run but its progress.
    fn sections(&mut self) -> Result<Sections, ForgeError> {
        self.losses.read(&mut self.progress)?;
        let state = self.engine.state();
        // A training error of a state is about weights that are not finite.
        if state.as_ref().is_err_and(ForgeError::is_training) {
            self.diverged.set(true);
        }
        let mut sections = state?;
        sections.save(self.sampler.as_ref())?;
        if let Some(early) = &self.early {
            sections.save(early)?;
        }
        if let Some(rollbacks) = &self.rollbacks {
            sections.save(rollbacks)?;
        }
        self.best.save(&mut sections)?;
        sections.insert(TASK, self.task.state()?)?;
        Ok(sections)
    }

    /// Takes up a saved run.
    pub(super) fn restore(&mut self, file: &TensorFile<Manifest>) -> Result<(), ForgeError> {
        let parts = file.manifest.parts.clone();
        let sections = Sections::from_file(file.tensors("")?, parts);
        sections
            .and_then(|sections| self.take_up(sections, &file.manifest.progress))
            .map_err(|e| file.error(format!("does not fit the run: {}", e.reason())))
    }

    fn take_up(&mut self, mut sections: Sections, progress: &Progress) -> Result<(), ForgeError> {
        self.engine.restore(&mut sections)?;
        sections.restore(self.sampler.as_mut())?;
        if let Some(early) = &mut self.early {
            sections.restore(early)?;
        }
        if let Some(rollbacks) = &mut self.rollbacks {
            sections.restore(rollbacks)?;
        }
        let like = self.engine.module().valid();
        self.best.restore(&mut sections, like)?;
        let task = sections.take(TASK)?;
        self.task
            .restore(task)
            .map_err(|e| ForgeError::weights(format!("part {TASK}: {}", e.reason())))?;
        sections.finish()?;
        let (epoch, step) = (self.epoch(), self.engine.steps_done());
        progress.check(epoch, step, self.sampler.batches())?;
        self.progress = progress.clone();
        self.settle();
        Ok(())
    }
}
