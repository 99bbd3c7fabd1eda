//! What goes into a fit beside the data, and what is told of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::module::Module;
use forge_data::{InferredTask, PreprocessReport, ReadOptions};
use forge_nn::ForgeError;
use forge_train::metric::Scores;
use forge_train::{EpochRecord, Observer, Start, StopReason, Trainer, TrainerConfig};
use serde::Serialize;

use super::Teacher;
use crate::Refit;

/// Hears one line at a time.
pub type NoteListener<'a> = Box<dyn FnMut(&str) + 'a>;

/// Beside the data: who watches, and where a killed run goes on.
#[derive(Default)]
pub struct FitOptions<'a> {
    /// Hear of every batch and epoch.
    pub observers: Vec<Box<dyn Observer>>,
    /// Where checkpoints go. Absent: none are written.
    pub checkpoints: Option<PathBuf>,
    /// Go on from the newest checkpoint there, if there is one.
    pub resume: bool,
    /// Set from outside (Ctrl-C, say) to end after the step in progress with a checkpoint.
    pub stop: Option<Arc<AtomicBool>>,
    /// Hears, before training starts, of each thing in the data that a person should know: a column
    /// left out, labels that share a bucket, a target that never varies. [`FitReport::notes`] has
    /// them too.
    pub notes: Option<NoteListener<'a>>,
    /// A trained model to learn from, beside the targets.
    pub teacher: Option<Teacher<'a>>,
    /// How the table was read: kept with the model, so that tables to predict on are read alike.
    pub read: ReadOptions,
}

impl fmt::Debug for FitOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FitOptions")
            .field("observers", &self.observers.len())
            .field("checkpoints", &self.checkpoints)
            .field("resume", &self.resume)
            .field(
                "teacher",
                &self.teacher.map(|teacher| teacher.model.model().name()),
            )
            .finish_non_exhaustive()
    }
}

impl FitOptions<'_> {
    /// Tells each of `notes`.
    pub(crate) fn tell(&mut self, notes: &[String]) {
        if let Some(hear) = &mut self.notes {
            notes.iter().for_each(|note| hear(note));
        }
    }

    /// A trainer that these watch, stop, and may resume.
    pub(crate) fn trainer<M: Module + 'static>(
        &mut self,
        training: TrainerConfig,
        identity: &impl Serialize,
    ) -> Result<Trainer<'_, M>, ForgeError> {
        let mut trainer = Trainer::new(training)?
            .with_identity(identity)?
            .with_observer(&mut self.observers);
        if let Some(stop) = &self.stop {
            trainer = trainer.with_stop_flag(Arc::clone(stop));
        }
        if let Some(folder) = &self.checkpoints {
            let start = match self.resume {
                true => Start::ResumeOrFresh,
                false => Start::Fresh,
            };
            trainer = trainer.with_checkpoints(folder, start);
        }
        Ok(trainer)
    }
}

/// How a fit went.
#[derive(Debug, Clone)]
pub struct FitReport {
    /// What the target was taken for and why, where nobody had said.
    pub task: Option<InferredTask>,
    /// What preprocessing found and left out.
    pub preprocessing: PreprocessReport,
    /// What a person should know of the data, one line each: of preprocessing, of the validation
    /// rows, of the target.
    pub notes: Vec<String>,
    /// Losses and scores by epoch; of an ensemble one network's after the other's.
    pub history: Vec<EpochRecord>,
    /// Why it ended.
    pub stopped: StopReason,
    /// Seconds of training, those before a resumption included.
    pub seconds: f64,
    /// Trainable parameters, of an ensemble those of each network.
    pub parameters: usize,
    /// Which weights were kept: `module`, or the average's name; of an ensemble the first network's.
    pub candidate: String,
    /// Their scores on the validation rows, of an ensemble those of the mean; absent without such
    /// rows. After a [`refit`](Self::refit) those of the run before it, as history and candidate are.
    pub scores: Option<Scores>,
    /// The second run, where the settings asked for one and it is done.
    pub refit: Option<Refit>,
}
