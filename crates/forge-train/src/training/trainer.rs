//! The loop.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::tensor::Device;
use forge_nn::{ForgeError, on_worker};
use serde::Serialize;
use serde_json::Value;

use super::ending::Ending;
use super::parts::Parts;
use super::rule::GradientRule;
use super::run::Run;
use super::run_identity::to_json;
use super::sampler::{Sampler, Shuffle};
use super::saver::{Saver, Start};
use super::{
    EndEvent, Flow, Observer, OnDivergence, StartEvent, StopReason, TrainOutcome, TrainTask,
    TrainerConfig,
};
use crate::averaging::Averaging;
use crate::checkpoint::check_same;

/// Trains a module: one run, made of an
/// [`Engine`](crate::Engine), a [`Sampler`] and whatever else is added here.
///
/// # Reproducible
///
/// On one machine and one backend whose operations are deterministic (`flex`), the result is a
/// function of the config, the parts, the task and the module's initial weights, bit for bit,
/// however often the run is stopped, killed and resumed; a
/// [budget](TrainerConfig::max_seconds) alone breaks this. Burn's random numbers are one stream per
/// process, so two runs at once in one process disturb each other.
pub struct Trainer<'a, M: Module> {
    config: TrainerConfig,
    parts: Parts<'a, M>,
    observers: Vec<Box<dyn Observer + 'a>>,
    stop: Option<Arc<AtomicBool>>,
    checkpoints: Option<(PathBuf, Start)>,
    identity: Value,
    ending: Option<Ending>,
    run: usize,
}

impl<M: Module> fmt::Debug for Trainer<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("config", &self.config)
            .field("checkpoints", &self.checkpoints)
            .finish_non_exhaustive()
    }
}

impl<'a, M: Module + 'static> Trainer<'a, M> {
    /// A trainer with what the config says.
    ///
    /// # Errors
    /// What [`TrainerConfig::validate`] finds.
    pub fn new(config: TrainerConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            parts: Parts::default(),
            observers: Vec::new(),
            stop: None,
            checkpoints: None,
            identity: Value::Null,
            ending: None,
            run: 0,
        })
    }

    /// Computes on these devices instead of where the module is. One for the present; the task is
    /// told which at every step.
    #[must_use]
    pub fn on_devices(mut self, devices: impl IntoIterator<Item = Device>) -> Self {
        self.parts.devices = devices.into_iter().collect();
        self
    }

    /// Adds a rule that sees gradients after those of the config. Pass `&mut rule` to keep it.
    #[must_use]
    pub fn with_rule(mut self, rule: impl GradientRule<M> + 'a) -> Self {
        self.parts.rules.push(Box::new(rule));
        self
    }

    /// Adds an average to those of the config; `make` is given the module in training mode and
    /// the number of optimiser steps of the run.
    #[must_use]
    pub fn with_averaging<A: Averaging<M> + 'a>(
        mut self,
        make: impl FnOnce(&M, u64) -> Result<A, ForgeError> + Send + 'a,
    ) -> Self {
        self.parts.averagings.push(Box::new(move |module, steps| {
            Ok(Box::new(make(module, steps)?))
        }));
        self
    }

    /// Takes rows from this sampler instead of a [`Shuffle`]. The config's batch size is then the
    /// sampler's business.
    #[must_use]
    pub fn with_sampler(mut self, sampler: impl Sampler + 'a) -> Self {
        self.parts.sampler = Some(Box::new(sampler));
        self
    }

    /// Adds someone who hears of the run, and may end it. Pass `&mut observer` to keep it.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// A flag that ends the run: the step in progress is finished, a checkpoint written, and
    /// [`StopReason::Interrupted`] returned. Set it from a Ctrl-C handler, say.
    #[must_use]
    pub fn with_stop_flag(mut self, flag: Arc<AtomicBool>) -> Self {
        self.stop = Some(flag);
        self
    }

    /// Writes checkpoints to `folder`, which is made if it does not exist.
    #[must_use]
    pub fn with_checkpoints(mut self, folder: impl Into<PathBuf>, start: Start) -> Self {
        self.checkpoints = Some((folder.into(), start));
        self
    }

    /// What else must be the same for a run to be resumed: the model's config, a hash of the
    /// data, whatever serialises. Resuming with another value is a config error that names the
    /// field.
    ///
    /// # Errors
    /// A config error if it cannot be written as JSON.
    pub fn with_identity(mut self, identity: &impl Serialize) -> Result<Self, ForgeError> {
        self.identity = to_json("identity", identity)?;
        Ok(self)
    }

    /// Ends there instead of after the epochs of the config, for a task without validation rows.
    #[must_use]
    pub fn with_ending(mut self, ending: Ending) -> Self {
        self.ending = Some(ending);
        self
    }

    /// Says which of the runs of one fit this is, from 0, so that observers that hear of several tell
    /// them apart.
    #[must_use]
    pub fn as_run(mut self, run: usize) -> Self {
        self.run = run;
        self
    }

    /// The config.
    #[must_use]
    pub fn config(&self) -> &TrainerConfig {
        &self.config
    }

    /// Trains `module` on `task`.
    ///
    /// The module may be on a plain or an autodiff device: see [`Engine::new`](crate::Engine::new) for what happens to
    /// it and when initial weights are drawn. Its running statistics, where they are Burn's own
    /// (`RunningState`), are shared with its clones.
    ///
    /// The run is one thread's, one of those that compute: see [`on_worker`].
    ///
    /// # Errors
    /// - a training error naming epoch, step and tensors if a loss, a validation score or a weight is
    ///   not finite, and stays so where the config rolls back; checkpoints written before stay;
    /// - a config error if a checkpoint belongs to another run, naming the field; if parts, groups
    ///   or devices do not go together;
    /// - an I/O or artifact error about a checkpoint;
    /// - whatever the task returns.
    pub fn fit<T: TrainTask<Module = M>>(
        self,
        task: &mut T,
        module: M,
    ) -> Result<TrainOutcome<M>, ForgeError> {
        let device = self.parts.device(&module);
        on_worker(&device, move || self.fit_here(task, module))
    }

    fn fit_here<T: TrainTask<Module = M>>(
        mut self,
        task: &mut T,
        module: M,
    ) -> Result<TrainOutcome<M>, ForgeError> {
        let n_rows = task.n_rows();
        if n_rows == 0 {
            return Err(ForgeError::shape("training set", "0 rows", "at least 1"));
        }
        if task.rows_interact() && self.config.micro_batches > 1 {
            let allowed = "1: in this task the loss of a row depends on which others come with it";
            let parts = self.config.micro_batches;
            return Err(ForgeError::config("micro_batches", parts, allowed));
        }
        let mut config = std::mem::take(&mut self.config);
        if let Some(ending) = &self.ending {
            ending.validate(&config)?;
        }
        let mut parts = std::mem::take(&mut self.parts);
        let sampler: Box<dyn Sampler + '_> = match (parts.sampler.take(), &config.sampler) {
            (None, None) => Box::new(Shuffle::new(n_rows, config.batch_size, config.seed)),
            (None, Some(sampler)) => {
                sampler.build(n_rows, config.batch_size, config.seed, |by| {
                    task.row_keys(by)
                })?
            }
            (Some(sampler), None) => sampler,
            (Some(_), Some(_)) => {
                let allowed = "in the config or given to the trainer, not both";
                return Err(ForgeError::config("sampler", "set twice", allowed));
            }
        };
        let batches = sampler.batches();
        if batches == 0 {
            let allowed = "at least one batch per epoch";
            return Err(ForgeError::config("sampler", "without batches", allowed));
        }
        let steps = (config.epochs as u64).checked_mul(batches as u64);
        let steps = steps.ok_or_else(|| {
            let value = format!("{} of {batches} batches each", config.epochs);
            ForgeError::config("epochs", value, "so many that their steps can be counted")
        })?;
        if let Some(snapshots) = config.snapshots {
            config.schedule = snapshots.schedule(&config.schedule, steps)?;
        }
        if config.on_divergence != OnDivergence::Stop && self.checkpoints.is_none() {
            let allowed = "stop, or a trainer that was given a folder of checkpoints";
            return Err(ForgeError::config("on_divergence", "rollback", allowed));
        }
        let engine = parts.engine(&config, task.groups(), module, steps)?;
        let mut run = Run::new(task, &config, engine, sampler);
        run.ending = self.ending.take();
        let identity = run.identity(&self.identity)?;
        let mut resumed_at = None;
        let mut saver = None;
        if let Some((folder, start)) = &self.checkpoints {
            let opened = Saver::open(folder, *start, config.checkpoint, identity)?;
            let (mut opened, saved) = opened;
            if let Some(saved) = saved {
                let found = &saved.file.manifest.identity;
                check_same(found, &opened.identity, &saved.path)?;
                run.restore(&saved.file)?;
                resumed_at = Some(run.engine.steps_done());
            } else {
                // Also finds out before the first step that the folder cannot be written to.
                opened.save(&mut run)?;
            }
            saver = Some(opened);
        }
        let span = tracing::info_span!(
            "fit",
            rows = n_rows,
            epochs = run.epochs(),
            steps = run.steps()
        );
        let _inside = span.enter();
        self.observers.on_train_start(&StartEvent {
            run: self.run,
            rows: n_rows,
            parameters: run.engine.trainable_parameters(),
            epochs: run.epochs(),
            batches,
            steps: run.steps(),
            resumed_at,
        });
        let result = loop {
            let result = self.train(&mut run, &mut saver);
            let Err(error) = result else {
                break result;
            };
            if !run.has_diverged() {
                break Err(error);
            }
            let rolled_back = match &mut saver {
                Some(saver) => saver.roll_back(&mut run)?,
                None => false,
            };
            if !rolled_back {
                break Err(run.name_tensors(error));
            }
            tracing::warn!("{error}");
        };
        let outcome = result.and_then(|stop| run.finish(stop));
        let outcome = match &saver {
            Some(saver) => outcome.map_err(|e| saver.locate(e))?,
            None => outcome?,
        };
        self.observers.on_end(&EndEvent {
            stop: outcome.stop.clone(),
            epochs: outcome.epochs,
            steps: outcome.steps,
            best: outcome.scores.clone(),
            seconds: outcome.seconds,
        });
        Ok(outcome)
    }

    fn train<T: TrainTask<Module = M>>(
        &mut self,
        run: &mut Run<'_, T>,
        saver: &mut Option<Saver>,
    ) -> Result<StopReason, ForgeError> {
        let batches = run.sampler.batches();
        loop {
            if let Some(reason) = run.ended() {
                return Ok(reason);
            }
            while run.progress.batch < batches {
                if self.stop_is_asked() {
                    save(saver, run)?;
                    return Ok(StopReason::Interrupted);
                }
                if run.budget_is_spent() {
                    save(saver, run)?;
                    if run.has_trained() {
                        self.close_epoch(run, true)?;
                    }
                    return Ok(StopReason::BudgetSpent);
                }
                let event = run.step()?;
                if let Flow::Stop(reason) = self.observers.on_batch(&event) {
                    save(saver, run)?;
                    return Ok(StopReason::Observer(reason));
                }
                if let Some(saver) = saver
                    && saver.step_is_due(event.step)
                {
                    saver.save(run)?;
                }
            }
            let asked = self.close_epoch(run, false)?;
            let is_last = asked.is_some() || run.ended().is_some();
            if let Some(saver) = saver
                && (is_last || saver.epoch_is_due(run.epoch()))
            {
                saver.save(run)?;
            }
            if let Some(reason) = asked {
                return Ok(run.ended().unwrap_or(StopReason::Observer(reason)));
            }
        }
    }

    /// Ends the epoch; returns why an observer wants to stop, if one does.
    fn close_epoch<T: TrainTask<Module = M>>(
        &mut self,
        run: &mut Run<'_, T>,
        forced: bool,
    ) -> Result<Option<String>, ForgeError> {
        let closed = run.close_epoch(forced)?;
        let event = run.epoch_event(&closed);
        Ok(
            event.and_then(|event| match self.observers.on_epoch(&event) {
                Flow::Stop(reason) => Some(reason),
                Flow::Continue => None,
            }),
        )
    }

    fn stop_is_asked(&self) -> bool {
        self.stop
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

fn save<T: TrainTask>(saver: &mut Option<Saver>, run: &mut Run<'_, T>) -> Result<(), ForgeError> {
    match saver {
        Some(saver) => saver.save(run),
        None => Ok(()),
    }
}
