//! A run in progress: its state and what one step, one epoch and one checkpoint do to it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::{ForgeError, StateDict, TensorFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batches::{pieces, step_seed};
use super::progress::{Best, Progress};
use super::{Batches, EpochRecord, StopReason, TrainOutcome, TrainTask, TrainerConfig};
use crate::averaging::Ema;
use crate::checkpoint::CheckpointFolder;
use crate::optimizer::{NamedOptimizer, OptimizerState, accumulate, clip_global_norm};
use crate::schedule::Schedule;

const MODULE: &str = "module/";
const AVERAGE: &str = "average/";
const BEST: &str = "best/";
const OPTIMIZER: &str = "optimizer/";

/// What a checkpoint holds beside its tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// What must be the same for the run to go on.
    pub(crate) identity: Value,
    progress: Progress,
    optimizer: BTreeMap<String, serde_json::Number>,
}

/// A loss that is still on the device.
struct Unread {
    step: u64,
    rows: usize,
    loss: Tensor<1>,
}

/// A run in progress. The module that is trained is passed in and out, since an optimiser step
/// consumes it.
pub(crate) struct Run<'r, T: TrainTask> {
    pub(crate) task: &'r T,
    pub(crate) config: &'r TrainerConfig,
    pub(crate) device: Device,
    pub(crate) schedule: Schedule,
    pub(crate) progress: Progress,
    pub(crate) optimizer: NamedOptimizer,
    pub(crate) ema: Option<Ema<T::Module>>,
    pub(crate) best: Option<T::Module>,
    /// Steps from one reading of the loss to the next.
    read_every: usize,
    unread: Vec<Unread>,
    last_loss: Option<f64>,
    clock: Instant,
    session: Session,
}

/// What happened since this process took the run up.
#[derive(Debug, Clone, Copy, Default)]
struct Session {
    seconds: f64,
    rows: u64,
    steps: u64,
}

impl<'r, T: TrainTask> Run<'r, T> {
    pub(crate) fn new(
        task: &'r T,
        config: &'r TrainerConfig,
        module: &T::Module,
        device: Device,
        schedule: Schedule,
    ) -> Result<Self, ForgeError> {
        let ema = config.ema.as_ref().map(|ema| Ema::new(ema.clone(), module));
        let default_read = if reading_is_free(&device) { 1 } else { 32 };
        Ok(Self {
            task,
            config,
            device,
            schedule,
            progress: Progress::default(),
            optimizer: config.optimizer.build()?,
            ema,
            best: None,
            read_every: config.read_loss_every.unwrap_or(default_read),
            unread: Vec::new(),
            last_loss: None,
            clock: Instant::now(),
            session: Session::default(),
        })
    }

    pub(crate) fn n_batches(&self) -> usize {
        Batches::count(self.task.n_rows(), self.config.batch_size)
    }

    /// One optimiser step over `rows`.
    pub(crate) fn step(
        &mut self,
        module: T::Module,
        rows: &[usize],
    ) -> Result<T::Module, ForgeError> {
        let step = self.progress.step;
        self.device
            .seed(step_seed(self.config.seed, self.progress.epoch, step));
        let (loss, mut grads) = self.gradients(&module, rows)?;
        if grads.is_empty() {
            return Err(ForgeError::training(
                "the loss does not depend on any trainable parameter of the module",
            ));
        }
        if let Some(max_norm) = self.config.clip_norm {
            (grads, _) = clip_global_norm(&module, grads, max_norm);
        }
        let module = self.optimizer.step(self.schedule.lr(step), module, grads);
        if let Some(ema) = &mut self.ema {
            ema.update(&module);
        }
        self.unread.push(Unread {
            step,
            rows: rows.len(),
            loss,
        });
        self.progress.step += 1;
        self.progress.batch += 1;
        self.session.steps += 1;
        self.session.rows += rows.len() as u64;
        if self.unread.len() >= self.read_every {
            self.read_losses()?;
        }
        self.tick();
        Ok(module)
    }

    /// The batch's mean loss and its gradients, computed in pieces where asked.
    fn gradients(
        &self,
        module: &T::Module,
        rows: &[usize],
    ) -> Result<(Tensor<1>, GradientsParams), ForgeError> {
        let mut total: Option<(Tensor<1>, GradientsParams)> = None;
        for piece in pieces(rows.len(), self.config.micro_batches) {
            let share = piece.len() as f64 / rows.len() as f64;
            let loss = self.task.loss(module, &rows[piece])?;
            if loss.dims() != [1] {
                return Err(ForgeError::shape(
                    "the task's loss",
                    format!("{:?}", loss.dims()),
                    "[1]",
                ));
            }
            if !loss.is_tracked() {
                return Err(ForgeError::training(
                    "the loss does not depend on any trainable parameter of the module",
                ));
            }
            let loss = if share < 1.0 {
                loss.mul_scalar(share)
            } else {
                loss
            };
            let value = loss.clone().inner();
            let grads = GradientsParams::from_grads(loss.backward(), module);
            total = Some(match total {
                None => (value, grads),
                Some((sum, before)) => (sum.add(value), accumulate(module, before, grads)),
            });
        }
        total.ok_or_else(|| ForgeError::training("a batch without rows"))
    }

    /// Reads the losses that are still on the device, all at once.
    ///
    /// They are summed in the order of the steps, so the sum does not depend on when they are
    /// read.
    pub(crate) fn read_losses(&mut self) -> Result<(), ForgeError> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let unread = std::mem::take(&mut self.unread);
        let losses = unread.iter().map(|u| u.loss.clone()).collect();
        let values = Tensor::cat(losses, 0)
            .try_into_data_dtype(DType::F64)
            .map_err(|e| ForgeError::device(format!("the loss cannot be read back: {e}")))?
            .try_to_vec::<f64>()
            .map_err(|e| ForgeError::device(format!("the loss cannot be read back: {e}")))?;
        for (u, loss) in unread.iter().zip(values) {
            if !loss.is_finite() {
                return Err(ForgeError::training(format!(
                    "the loss is {loss} at epoch {}, step {}",
                    self.progress.epoch, u.step
                )));
            }
            self.progress.loss_sum += loss * u.rows as f64;
            self.progress.rows += u.rows as u64;
            self.last_loss = Some(loss);
        }
        Ok(())
    }

    /// Takes the time since the last call to account.
    pub(crate) fn tick(&mut self) {
        let now = Instant::now();
        let seconds = now.duration_since(self.clock).as_secs_f64();
        self.clock = now;
        self.progress.seconds += seconds;
        self.progress.epoch_seconds += seconds;
        self.session.seconds += seconds;
    }

    pub(crate) fn budget_is_spent(&self) -> bool {
        self.config
            .max_seconds
            .is_some_and(|budget| self.progress.seconds >= budget)
    }

    pub(crate) fn samples_per_second(&self) -> f64 {
        self.session.rows as f64 / self.session.seconds.max(1e-9)
    }

    pub(crate) fn eta_seconds(&self) -> f64 {
        let total = self.config.epochs as u64 * self.n_batches() as u64;
        let left = total.saturating_sub(self.progress.step);
        self.session.seconds / self.session.steps.max(1) as f64 * left as f64
    }

    pub(crate) fn last_loss(&self) -> Option<f64> {
        self.last_loss
    }

    /// The learning rate of the step before the present one.
    pub(crate) fn last_lr(&self) -> f64 {
        self.schedule.lr(self.progress.step.saturating_sub(1))
    }

    /// What would be deployed now: the average where there is one, in inference mode.
    fn candidate(&self, module: &T::Module) -> T::Module {
        match &self.ema {
            Some(ema) => ema.module(),
            None => module.valid(),
        }
    }

    /// Ends the epoch: validates where due (or `forced`), keeps the best, writes the history.
    /// Returns whether the score is the best yet.
    pub(crate) fn close_epoch(
        &mut self,
        module: &T::Module,
        forced: bool,
    ) -> Result<bool, ForgeError> {
        self.read_losses()?;
        let epoch = self.progress.epoch;
        let due = forced
            || (epoch + 1).is_multiple_of(self.config.validate_every)
            || epoch + 1 == self.config.epochs;
        let mut is_best = false;
        let mut score = None;
        if due {
            let candidate = self.candidate(module);
            score = self.task.validate(&candidate)?;
            if let Some(score) = score {
                is_best = self.hears(score)?;
                if is_best {
                    self.best = Some(candidate);
                }
            } else if self.config.early_stopping.is_some() {
                return Err(ForgeError::config(
                    "early_stopping",
                    "set",
                    "absent where the task has no validation score",
                ));
            }
        }
        self.tick();
        let progress = &mut self.progress;
        progress.history.push(EpochRecord {
            epoch,
            step: progress.step,
            rows: progress.rows,
            train_loss: progress.loss_sum / progress.rows.max(1) as f64,
            validation: score,
            lr: self.schedule.lr(progress.step.saturating_sub(1)),
            seconds: progress.epoch_seconds,
        });
        progress.epoch += 1;
        progress.batch = 0;
        progress.loss_sum = 0.0;
        progress.rows = 0;
        progress.epoch_seconds = 0.0;
        Ok(is_best)
    }

    /// Takes in a validation score; true if it is the best yet.
    fn hears(&mut self, score: f64) -> Result<bool, ForgeError> {
        let epoch = self.progress.epoch;
        if !score.is_finite() {
            return Err(ForgeError::training(format!(
                "the validation score is {score} after epoch {epoch}, step {}",
                self.progress.step
            )));
        }
        if let Some(early) = &self.config.early_stopping {
            self.progress.stopped_early = self.progress.early.hears(early, score);
        }
        let is_best = self.progress.best.is_none_or(|best| score < best.score);
        if is_best {
            self.progress.best = Some(Best { score, epoch });
        }
        Ok(is_best)
    }

    /// Writes the whole state of the run.
    pub(crate) fn save(
        &mut self,
        module: &T::Module,
        identity: &Value,
        folder: &CheckpointFolder,
    ) -> Result<std::path::PathBuf, ForgeError> {
        self.read_losses()?;
        let mut tensors = BTreeMap::new();
        let mut add = |prefix: &str, state: BTreeMap<String, TensorData>| {
            tensors.extend(
                state
                    .into_iter()
                    .map(|(name, data)| (format!("{prefix}{name}"), data)),
            );
        };
        // `valid` writes pending batch statistics in.
        let weights = StateDict::from_module(&module.valid())?.tensors;
        self.check_finite(&weights)?;
        add(MODULE, weights);
        if let Some(ema) = &self.ema {
            add(AVERAGE, ema.state()?.tensors);
        }
        if let Some(best) = &self.best {
            add(BEST, StateDict::from_module(best)?.tensors);
        }
        let optimizer = self.optimizer.state(module);
        add(OPTIMIZER, optimizer.tensors);
        self.progress.ema_calls = self.ema.as_ref().map(Ema::calls);
        let manifest = Manifest {
            identity: identity.clone(),
            progress: self.progress.clone(),
            optimizer: optimizer.scalars,
        };
        let path = folder.write(&manifest, &tensors)?;
        self.tick();
        Ok(path)
    }

    /// A finite loss can leave weights that are not; such a state must not replace a good one.
    fn check_finite(&self, weights: &BTreeMap<String, TensorData>) -> Result<(), ForgeError> {
        for (name, data) in weights {
            let finite = match data.dtype() {
                DType::F32 => data
                    .as_slice::<f32>()
                    .map_or(true, |v| v.iter().all(|x| x.is_finite())),
                DType::F64 => data
                    .as_slice::<f64>()
                    .map_or(true, |v| v.iter().all(|x| x.is_finite())),
                _ => true,
            };
            if !finite {
                return Err(ForgeError::training(format!(
                    "{name} is not finite at epoch {}, after step {}",
                    self.progress.epoch, self.progress.step
                )));
            }
        }
        Ok(())
    }

    /// Takes up a saved run; returns its module.
    pub(crate) fn restore(
        &mut self,
        module: T::Module,
        file: &TensorFile<Manifest>,
    ) -> Result<T::Module, ForgeError> {
        let manifest = &file.manifest;
        let progress = &manifest.progress;
        self.check_progress(progress).map_err(|e| file.error(e))?;
        let strange = file.shapes().into_keys().find(|name| {
            ![MODULE, AVERAGE, BEST, OPTIMIZER]
                .iter()
                .any(|p| name.starts_with(p))
        });
        if let Some(name) = strange {
            return Err(file.error(format!("{name} is not part of a checkpoint")));
        }
        let state = |prefix: &str| -> Result<StateDict, ForgeError> {
            Ok(StateDict {
                tensors: file.tensors(prefix)?,
                // Names decide; the module keeps its own ids.
                param_ids: BTreeMap::new(),
            })
        };
        let fits = |e: ForgeError| file.error(format!("does not fit the module: {e}"));
        // Writes pending batch statistics in, so that none are left to overwrite the loaded ones.
        let inference = module.valid();
        let module = state(MODULE)?.load_into(module).map_err(fits)?;
        if let (Some(config), Some(calls)) = (&self.config.ema, progress.ema_calls) {
            let ema = Ema::restore(config.clone(), &module, state(AVERAGE)?, calls);
            self.ema = Some(ema.map_err(fits)?);
        }
        if progress.best.is_some() {
            self.best = Some(state(BEST)?.load_into(inference).map_err(fits)?);
        }
        let optimizer = OptimizerState {
            tensors: file.tensors(OPTIMIZER)?,
            scalars: manifest.optimizer.clone(),
        };
        self.optimizer.load(&module, optimizer).map_err(fits)?;
        self.progress = progress.clone();
        self.clock = Instant::now();
        Ok(module)
    }

    /// What a checksum cannot catch: a file that was made to mislead.
    fn check_progress(&self, progress: &Progress) -> Result<(), String> {
        let batches = self.n_batches();
        if progress.batch > batches {
            return Err(format!("batch {} of an epoch of {batches}", progress.batch));
        }
        let steps = progress.epoch as u128 * batches as u128 + progress.batch as u128;
        if u128::from(progress.step) != steps {
            return Err(format!(
                "step {} where epoch {} and batch {} make {steps}",
                progress.step, progress.epoch, progress.batch
            ));
        }
        if progress.history.len() != progress.epoch {
            return Err(format!(
                "{} epochs of history at epoch {}",
                progress.history.len(),
                progress.epoch
            ));
        }
        if progress.ema_calls.is_some() != self.config.ema.is_some() {
            return Err("the average is missing, or there is one too many".into());
        }
        let numbers = [progress.loss_sum, progress.seconds, progress.epoch_seconds];
        if numbers.iter().any(|x| !x.is_finite()) {
            return Err("a number that is not finite".into());
        }
        Ok(())
    }

    /// The end: the best module, or the present one where nothing was validated.
    pub(crate) fn finish(mut self, module: T::Module, stop: StopReason) -> TrainOutcome<T::Module> {
        self.tick();
        let best = self.best.take();
        TrainOutcome {
            module: best.unwrap_or_else(|| self.candidate(&module)),
            score: self.progress.best.map(|best| best.score),
            best_epoch: self.progress.best.map(|best| best.epoch),
            stop,
            epochs: self.progress.epoch,
            steps: self.progress.step,
            seconds: self.progress.seconds,
            history: self.progress.history,
        }
    }
}

/// Adds to a training error where the last good state is.
pub(crate) fn with_checkpoint(error: ForgeError, last: Option<&Path>) -> ForgeError {
    match last {
        Some(path) if error.is_training() => {
            let message = error.to_string();
            let message = message.strip_prefix("training: ").unwrap_or(&message);
            ForgeError::training(format!(
                "{message}; the last good checkpoint is {}",
                path.display()
            ))
        }
        _ => error,
    }
}

/// Reading a value back waits for the device; these compute at once, so there is nothing to wait
/// for.
fn reading_is_free(device: &Device) -> bool {
    use burn::backend::DispatchDevice;
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        _ => false,
    }
}
