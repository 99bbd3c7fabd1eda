//! The loop.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::Serialize;
use serde_json::Value;

use super::run::{Manifest, Run, with_checkpoint};
use super::{
    BatchEvent, Batches, CheckpointConfig, EndEvent, EpochEvent, Observer, StartEvent, StopReason,
    TrainOutcome, TrainTask, TrainerConfig,
};
use crate::checkpoint::{CheckpointFile, CheckpointFolder, check_same};
use crate::schedule::Schedule;

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

/// Trains modules.
///
/// # Reproducible
///
/// On one machine and one backend whose operations are deterministic (`flex`), the result is a
/// function of the config, the task and the module's initial weights, bit for bit, however often
/// the run is stopped, killed and resumed; a [budget](TrainerConfig::max_seconds) alone breaks
/// this. Burn's random numbers are one stream a process, so two runs at once in one process
/// disturb each other.
pub struct Trainer<'a> {
    config: TrainerConfig,
    observers: Vec<Box<dyn Observer + 'a>>,
    stop: Option<Arc<AtomicBool>>,
    checkpoints: Option<(PathBuf, Start)>,
    identity: Value,
}

impl fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("config", &self.config)
            .field("observers", &self.observers.len())
            .field("checkpoints", &self.checkpoints)
            .finish_non_exhaustive()
    }
}

impl<'a> Trainer<'a> {
    /// A trainer without observers and checkpoints.
    ///
    /// # Errors
    /// What [`TrainerConfig::validate`] finds.
    pub fn new(config: TrainerConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            observers: Vec::new(),
            stop: None,
            checkpoints: None,
            identity: Value::Null,
        })
    }

    /// Adds someone who hears of the run. Pass `&mut observer` to keep it.
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

    /// The config.
    #[must_use]
    pub fn config(&self) -> &TrainerConfig {
        &self.config
    }

    /// Trains `module` on `task`.
    ///
    /// Burn draws initial weights when they are first used, which may be here: seed the device just
    /// before this call, or use the module once, to have them from a seed of your own.
    ///
    /// The module may be on a plain or an autodiff device; frozen parameters stay as they are. Its
    /// running statistics (batch normalisation) are shared with its clones, as Burn has it.
    ///
    /// # Errors
    /// - a training error naming epoch and step if a loss, a validation score or a weight is not
    ///   finite; checkpoints written before stay;
    /// - a config error if a checkpoint belongs to another run, naming the field;
    /// - an I/O or artifact error about a checkpoint;
    /// - whatever the task returns.
    pub fn fit<T: TrainTask>(
        &mut self,
        task: &T,
        module: T::Module,
    ) -> Result<TrainOutcome<T::Module>, ForgeError> {
        let n_rows = task.n_rows();
        if n_rows == 0 {
            return Err(ForgeError::shape("training set", "0 rows", "at least 1"));
        }
        let device = module
            .devices()
            .into_iter()
            .next()
            .ok_or_else(|| ForgeError::training("the module has no parameters"))?;
        let batches = Batches::count(n_rows, self.config.batch_size);
        let steps = self.config.epochs as u64 * batches as u64;
        let schedule = self.config.schedule.build(steps)?;
        let identity = self.run_identity(n_rows, &schedule)?;
        let mut module = if on_autodiff(&module) {
            module
        } else {
            module.train()
        };
        let checkpoints = self.open_checkpoints()?;
        let config = self.config.clone();
        let mut run = Run::new(task, &config, &module, device, schedule)?;
        let mut resumed_at = None;
        let mut saver = None;
        if let Some((folder, saved)) = checkpoints {
            let mut last = None;
            if let Some(saved) = saved {
                check_same(&saved.file.manifest.identity, &identity, &saved.path)?;
                module = run.restore(module, &saved.file)?;
                resumed_at = Some(run.progress.step);
                last = Some(saved.path);
            }
            let mut opened = Saver {
                folder,
                identity,
                config: config.checkpoint,
                last,
            };
            if resumed_at.is_none() {
                // Also finds out before the first step that the folder cannot be written to.
                opened.save(&mut run, &module)?;
            }
            saver = Some(opened);
        }

        let start = StartEvent {
            rows: n_rows,
            parameters: trainable(&module),
            epochs: config.epochs,
            batches,
            steps,
            resumed_at,
        };
        self.tell(|o| o.on_train_start(&start));
        let result = self.train(&mut run, module, &mut saver);
        let last = saver.as_ref().and_then(|s| s.last.as_deref());
        let (module, stop) = result.map_err(|e| with_checkpoint(e, last))?;
        let outcome = run.finish(module, stop);
        let end = EndEvent {
            stop,
            epochs: outcome.epochs,
            steps: outcome.steps,
            best: outcome.score,
            seconds: outcome.seconds,
        };
        self.tell(|o| o.on_end(&end));
        Ok(outcome)
    }

    fn train<T: TrainTask>(
        &mut self,
        run: &mut Run<'_, T>,
        mut module: T::Module,
        saver: &mut Option<Saver>,
    ) -> Result<(T::Module, StopReason), ForgeError> {
        let n_batches = run.n_batches();
        let (n_rows, config) = (run.task.n_rows(), run.config);
        loop {
            let ended = if run.progress.stopped_early {
                Some(StopReason::EarlyStopped)
            } else if run.progress.epoch >= config.epochs {
                Some(StopReason::Completed)
            } else {
                None
            };
            if let Some(reason) = ended {
                return Ok((module, reason));
            }
            let epoch = run.progress.epoch;
            let batches = Batches::new(n_rows, config.batch_size, config.seed, epoch);
            while run.progress.batch < n_batches {
                if self.stop_is_asked() {
                    save(saver, run, &module)?;
                    return Ok((module, StopReason::Interrupted));
                }
                if run.budget_is_spent() {
                    save(saver, run, &module)?;
                    if run.progress.batch > 0 {
                        let is_best = run.close_epoch(&module, true)?;
                        self.tell_epoch(run, is_best);
                    }
                    return Ok((module, StopReason::BudgetSpent));
                }
                let rows = batches.get(run.progress.batch);
                module = run.step(module, rows)?;
                self.tell_batch(run, rows.len());
                if let Some(saver) = saver
                    && saver.step_is_due(run.progress.step)
                {
                    saver.save(run, &module)?;
                }
            }
            let is_best = run.close_epoch(&module, false)?;
            self.tell_epoch(run, is_best);
            let is_last = run.progress.stopped_early || run.progress.epoch >= config.epochs;
            if let Some(saver) = saver
                && (is_last || saver.epoch_is_due(run.progress.epoch))
            {
                saver.save(run, &module)?;
            }
        }
    }

    fn stop_is_asked(&self) -> bool {
        self.stop
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    fn tell(&mut self, mut event: impl FnMut(&mut dyn Observer)) {
        for observer in &mut self.observers {
            event(observer.as_mut());
        }
    }

    fn tell_batch<T: TrainTask>(&mut self, run: &Run<'_, T>, rows: usize) {
        if self.observers.is_empty() {
            return;
        }
        let (epochs, batches) = (run.config.epochs, run.n_batches());
        let event = BatchEvent {
            epoch: run.progress.epoch,
            epochs,
            batch: run.progress.batch,
            batches,
            step: run.progress.step,
            steps: epochs as u64 * batches as u64,
            rows,
            loss: run.last_loss(),
            lr: run.last_lr(),
            samples_per_second: run.samples_per_second(),
            eta_seconds: run.eta_seconds(),
        };
        self.tell(|o| o.on_batch(&event));
    }

    fn tell_epoch<T: TrainTask>(&mut self, run: &Run<'_, T>, is_best: bool) {
        if let Some(record) = run.progress.history.last() {
            let event = EpochEvent {
                record,
                epochs: run.config.epochs,
                best: run.progress.best.map(|best| best.score),
                is_best,
                samples_per_second: run.samples_per_second(),
                eta_seconds: run.eta_seconds(),
            };
            self.tell(|o| o.on_epoch(&event));
        }
    }

    /// What identifies the run: everything that its result depends on and that can be compared.
    fn run_identity(&self, n_rows: usize, schedule: &Schedule) -> Result<Value, ForgeError> {
        let mut identity = to_json("config", &self.config)?;
        if let Value::Object(fields) = &mut identity {
            // These do not change the weights of a step, so a resumed run may have others. The
            // number of epochs shows in the schedule, where it does.
            for free in ["epochs", "max_seconds", "checkpoint", "read_loss_every"] {
                fields.remove(free);
            }
            fields.insert("schedule".into(), to_json("schedule", schedule.config())?);
            fields.insert("training_rows".into(), n_rows.into());
            fields.insert("identity".into(), self.identity.clone());
        }
        Ok(identity)
    }

    fn open_checkpoints(&self) -> Result<Option<Opened>, ForgeError> {
        let Some((path, start)) = &self.checkpoints else {
            return Ok(None);
        };
        let folder = CheckpointFolder::open(path, self.config.checkpoint.keep)?;
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
        Ok(Some((folder, saved)))
    }
}

type Opened = (CheckpointFolder, Option<CheckpointFile<Manifest>>);

/// Writes checkpoints when they are due.
struct Saver {
    folder: CheckpointFolder,
    identity: Value,
    config: CheckpointConfig,
    /// The last one that was written or read.
    last: Option<PathBuf>,
}

impl Saver {
    fn save<T: TrainTask>(
        &mut self,
        run: &mut Run<'_, T>,
        module: &T::Module,
    ) -> Result<(), ForgeError> {
        self.last = Some(run.save(module, &self.identity, &self.folder)?);
        Ok(())
    }

    fn step_is_due(&self, step: u64) -> bool {
        self.config
            .every_steps
            .is_some_and(|every| step.is_multiple_of(every))
    }

    fn epoch_is_due(&self, epochs: usize) -> bool {
        self.config
            .every_epochs
            .is_some_and(|every| epochs.is_multiple_of(every))
    }
}

fn save<T: TrainTask>(
    saver: &mut Option<Saver>,
    run: &mut Run<'_, T>,
    module: &T::Module,
) -> Result<(), ForgeError> {
    match saver {
        Some(saver) => saver.save(run, module),
        None => Ok(()),
    }
}

fn to_json(field: &str, value: &impl Serialize) -> Result<Value, ForgeError> {
    serde_json::to_value(value).map_err(|e| ForgeError::config(field, e, "writable as JSON"))
}

/// Whether the module's parameters are set up for training already. Calling `train` on them again
/// would lose their gradient-checkpointing strategy.
fn on_autodiff<M: Module>(module: &M) -> bool {
    struct Look(bool);
    impl ModuleVisitor for Look {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // Reading the value also draws the initial weights of a lazy parameter, before the
            // steps begin to seed the generator that they are drawn from.
            let value = param.base();
            self.0 |= value.is_require_grad();
        }
    }
    let mut look = Look(false);
    module.visit(&mut look);
    look.0
}

/// Scalars that an optimiser step can change: running statistics are none.
fn trainable<M: Module>(module: &M) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0 += param.shape().num_elements();
            }
        }
    }
    let mut count = Count(0);
    module.visit(&mut count);
    count.0
}
