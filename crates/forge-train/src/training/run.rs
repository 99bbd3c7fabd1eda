//! A run in progress: its parts, and what one step and one epoch do to them.

use burn::module::Module;
use forge_nn::{ForgeError, StateDict};

use super::best::Best;
use super::divergence::Rollbacks;
use super::early_stopping::EarlyStopping;
use super::ending::Ending;
use super::engine::{Engine, Rates, StepOutcome};
use super::loss_reader::LossReader;
use super::observer::ModuleView;
use super::pace::Pace;
use super::progress::Progress;
use super::sampler::Sampler;
use super::together::Chosen;
use super::{
    BatchEvent, EpochEvent, EpochRecord, StopReason, TrainOutcome, TrainTask, TrainerConfig,
};

/// A run in progress.
pub(super) struct Run<'r, T: TrainTask> {
    pub(super) task: &'r mut T,
    pub(super) config: &'r TrainerConfig,
    pub(super) engine: Engine<'r, T::Module>,
    pub(super) sampler: Box<dyn Sampler + 'r>,
    pub(super) early: Option<EarlyStopping>,
    pub(super) ending: Option<Ending>,
    pub(super) best: Best<T::Module>,
    pub(super) progress: Progress,
    pub(super) losses: LossReader,
    pub(super) pace: Pace,
    pub(super) rollbacks: Option<Rollbacks>,
    /// A validation score or a weight was not finite. A cell, since validating only looks at the run.
    pub(super) diverged: std::cell::Cell<bool>,
}

/// An epoch that was just closed, for those who want to hear of it.
pub(super) struct Closed<M> {
    is_best: bool,
    candidate: M,
}

impl<'r, T: TrainTask> Run<'r, T> {
    pub(super) fn new(
        task: &'r mut T,
        config: &'r TrainerConfig,
        engine: Engine<'r, T::Module>,
        sampler: Box<dyn Sampler + 'r>,
    ) -> Self {
        let losses = LossReader::new(config.read_loss_every, &engine.devices()[0]);
        Self {
            task,
            config,
            engine,
            sampler,
            early: config.early_stopping.map(EarlyStopping::new),
            ending: None,
            best: Best::default(),
            progress: Progress::default(),
            losses,
            pace: Pace::start(),
            rollbacks: Rollbacks::new(config.on_divergence),
            diverged: std::cell::Cell::new(false),
        }
    }

    /// Whether what was just returned as an error is a loss, a score or a weight that is not finite.
    pub(super) fn has_diverged(&self) -> bool {
        self.diverged.get() || self.losses.has_diverged()
    }

    /// After another state was taken up: forgets the divergence, and goes on at the rates that belong
    /// to so many rollbacks.
    pub(super) fn settle(&mut self) {
        self.diverged.set(false);
        self.losses.clear();
        let factor = self.rollbacks.as_ref().map_or(1.0, Rollbacks::factor);
        self.engine.set_rates(Rates::Scheduled(factor));
    }

    /// Adds to an error about a loss or a score which weights are not finite.
    pub(super) fn name_tensors(&self, error: ForgeError) -> ForgeError {
        let weights = StateDict::from_module(&self.engine.module().valid());
        let found = match weights.and_then(|weights| weights.check_finite()) {
            Ok(()) => "all weights are finite".to_owned(),
            Err(found) => found.reason(),
        };
        if error.reason().contains(&found) {
            return error;
        }
        ForgeError::training(format!("{}; {found}", error.reason()))
    }

    pub(super) fn epoch(&self) -> usize {
        self.engine.epochs_done()
    }

    /// The epochs that it will have, if nothing ends it before.
    pub(super) fn epochs(&self) -> usize {
        let ending = self.ending.as_ref();
        ending.map_or(self.config.epochs, |ending| ending.epochs)
    }

    /// The steps that schedules go by: those of all epochs of the config.
    pub(super) fn planned_steps(&self) -> u64 {
        self.config.epochs as u64 * self.sampler.batches() as u64
    }

    /// The steps that it will have, if nothing ends it before.
    pub(super) fn steps(&self) -> u64 {
        self.epochs() as u64 * self.sampler.batches() as u64
    }

    /// Why the run is over between two epochs, if it is.
    pub(super) fn ended(&self) -> Option<StopReason> {
        if self.early.as_ref().is_some_and(EarlyStopping::is_over) {
            Some(StopReason::EarlyStopped)
        } else if self.epoch() >= self.epochs() {
            Some(StopReason::Completed)
        } else {
            None
        }
    }

    pub(super) fn budget_is_spent(&self) -> bool {
        self.config
            .max_seconds
            .is_some_and(|budget| self.progress.seconds >= budget)
    }

    /// Whether any step of the epoch was made and not left out.
    pub(super) fn has_trained(&self) -> bool {
        self.progress.batch as u64 > self.progress.skipped
    }

    /// The next step of the epoch.
    pub(super) fn step(&mut self) -> Result<BatchEvent, ForgeError> {
        let at = (self.epoch(), self.engine.steps_done());
        let _span = tracing::debug_span!("step", epoch = at.0, step = at.1).entered();
        let rows = self.sampler.rows(at.0, self.progress.batch)?;
        let n_rows = self.task.n_rows();
        if let Some(row) = rows.iter().find(|&&row| row >= n_rows) {
            let value = format!("{row} by {}", self.sampler.name());
            let allowed = format!("below the {n_rows} rows of the task");
            return Err(ForgeError::config("a row", value, allowed));
        }
        let StepOutcome { loss, skipped_by } =
            self.engine
                .step_task(self.task, &rows, self.config.micro_batches)?;
        if skipped_by.is_none() {
            let weight = self.task.weight(&rows);
            self.losses.push(at, (rows.len(), weight), loss);
            self.losses.read_if_due(&mut self.progress)?;
        } else {
            self.progress.skipped += 1;
        }
        self.progress.batch += 1;
        self.pace.step(rows.len());
        self.pace.tick(&mut self.progress);
        let step = self.engine.steps_done();
        let steps = self.steps();
        Ok(BatchEvent {
            epoch: at.0,
            epochs: self.epochs(),
            batch: self.progress.batch,
            batches: self.sampler.batches(),
            step,
            steps,
            rows: rows.len(),
            skipped: skipped_by.is_some(),
            loss: self.losses.last(),
            lr: self.engine.lr(at.1),
            samples_per_second: self.pace.samples_per_second(),
            eta_seconds: self.pace.eta_seconds(steps.saturating_sub(step)),
        })
    }

    /// Ends the epoch: validates where due (or `forced`), keeps the best, writes the history.
    pub(super) fn close_epoch(&mut self, forced: bool) -> Result<Closed<T::Module>, ForgeError> {
        self.losses.read(&mut self.progress)?;
        let epoch = self.epoch();
        let step = self.engine.steps_done();
        let train_loss = self.progress.mean_loss().ok_or_else(|| {
            ForgeError::training(format!(
                "every step of epoch {epoch} was skipped; the loss or its gradients are not what \
                 the gradient rules accept"
            ))
        })?;
        self.engine.end_epoch()?;
        let due = forced
            || (epoch + 1).is_multiple_of(self.config.validate_every)
            || epoch + 1 == self.epochs();
        let candidates = if due {
            self.validate(epoch, step)?
        } else {
            Vec::new()
        };
        let mut is_best = false;
        let mut deciding = None;
        if let Some(first) = candidates.first() {
            is_best = self.best.take_in(first, epoch, self.config)?;
            let score = self.config.deciding(&first.validation.scores)?;
            if let (Some(early), Some(score)) = (&mut self.early, score) {
                early.take_in(score.value, score.direction);
            }
            deciding = score.map(|score| (score.value, score.direction));
        } else if due && self.early.is_some() {
            let allowed = "absent where the task has no validation score";
            return Err(ForgeError::config("early_stopping", "set", allowed));
        } else if due && self.engine.follows_scores() {
            let allowed = "another where the task has no validation score";
            return Err(ForgeError::config("schedule", "reduce_on_plateau", allowed));
        }
        self.pace.tick(&mut self.progress);
        let progress = &mut self.progress;
        progress.history.push(EpochRecord {
            epoch,
            step,
            skipped: progress.skipped,
            rows: progress.rows,
            train_loss,
            validation: candidates.iter().map(|c| c.validation.clone()).collect(),
            lr: self.engine.lr(step.saturating_sub(1)),
            seconds: progress.epoch_seconds,
        });
        // Only now: the record has the rate of the steps before.
        if let Some((score, direction)) = deciding {
            self.engine.take_in_score(score, direction);
        }
        progress.batch = 0;
        progress.skipped = 0;
        progress.loss_sum = 0.0;
        progress.weight = 0.0;
        progress.rows = 0;
        progress.epoch_seconds = 0.0;
        let candidate = match candidates.into_iter().next() {
            Some(first) => first.module,
            None => self.first_candidate(),
        };
        Ok(Closed { is_best, candidate })
    }

    pub(super) fn epoch_event<'e>(
        &'e self,
        closed: &'e Closed<T::Module>,
    ) -> Option<EpochEvent<'e>> {
        let left = self.steps().saturating_sub(self.engine.steps_done());
        Some(EpochEvent {
            record: self.progress.history.last()?,
            epochs: self.epochs(),
            best: self.best.scores(),
            is_best: closed.is_best,
            module: ModuleView::new(&closed.candidate),
            samples_per_second: self.pace.samples_per_second(),
            eta_seconds: self.pace.eta_seconds(left),
        })
    }

    fn first_candidate(&self) -> T::Module {
        let first = self.engine.candidates().into_iter().next();
        first.map_or_else(|| self.engine.module().valid(), |(_, module, _)| module)
    }

    /// What is left where nothing was validated: the weights that the ending names, or the first.
    fn unvalidated(&mut self) -> Result<(String, T::Module), ForgeError> {
        let mut candidates = self.fresh_candidates()?;
        let place = match &self.ending {
            None => 0,
            Some(Ending { candidate, .. }) => {
                let place = candidates.iter().position(|(name, _)| name == candidate);
                place.ok_or_else(|| {
                    let names: Vec<&str> = candidates.iter().map(|(name, _)| &**name).collect();
                    let allowed = format!("one of those at the run's end: {}", names.join(", "));
                    ForgeError::config("ending.candidate", candidate, allowed)
                })?
            }
        };
        match candidates.len() {
            0 => Ok(("module".into(), self.engine.module().valid())),
            _ => Ok(candidates.swap_remove(place)),
        }
    }

    /// The end: the best module, or the present one where nothing was validated.
    pub(super) fn finish(
        mut self,
        stop: StopReason,
    ) -> Result<TrainOutcome<T::Module>, ForgeError> {
        let best = match std::mem::take(&mut self.best).kept {
            Some(kept) => Chosen {
                members: vec![kept.module],
                candidate: kept.about.candidate,
                scores: Some(kept.about.scores),
                epoch: Some(kept.about.epoch),
            },
            None => {
                let (candidate, module) = self.unvalidated()?;
                Chosen {
                    members: vec![module],
                    candidate,
                    scores: None,
                    epoch: None,
                }
            }
        };
        let is_over = !matches!(stop, StopReason::Interrupted | StopReason::Observer(_));
        let best = if is_over { self.together(best)? } else { best };
        let newest = best.members.last().map(Module::valid);
        self.pace.tick(&mut self.progress);
        Ok(TrainOutcome {
            module: newest.unwrap_or_else(|| self.engine.module().valid()),
            members: best.members,
            candidate: best.candidate,
            scores: best.scores,
            best_epoch: best.epoch,
            stop,
            epochs: self.epoch(),
            steps: self.engine.steps_done(),
            seconds: self.progress.seconds,
            history: self.progress.history,
        })
    }
}
