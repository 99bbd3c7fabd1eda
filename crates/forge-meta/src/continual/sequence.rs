//! One task after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::module::Module;
use burn::tensor::Device;
use forge_nn::{ForgeError, check};
use forge_train::{Start, StopReason, Trainer, TrainerConfig};
use serde_json::json;

use super::lesson::Lesson;
use super::{ContinualTask, Stage, Strategy, StrategyConfig, TaskScores};

/// What a sequence of tasks leaves.
pub struct Learned<T: ContinualTask> {
    /// The module after the last task that was learned.
    pub module: T::Module,
    /// The strategy with all that it remembers, which [`network_of`](Self::network_of) asks.
    strategy: Box<dyn Strategy<T>>,
    /// The scores on all tasks after each; absent where a run was stopped before its end.
    pub scores: Option<TaskScores>,
    /// Why the last run ended.
    pub stop: StopReason,
}

impl<T: ContinualTask> std::fmt::Debug for Learned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Learned")
            .field("scores", &self.scores)
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}

impl<T: ContinualTask> Learned<T> {
    /// The module that a task is computed with, in inference mode: for most strategies the one
    /// module, for PackNet the part of it that the task has.
    ///
    /// # Errors
    /// What the strategy finds wrong.
    pub fn network_of(&self, task: usize) -> Result<T::Module, ForgeError> {
        of_task(&*self.strategy, &self.module, task)
    }
}

/// Learns the tasks of a [`ContinualTask`] one after the other, with a strategy against forgetting.
///
/// Each task is a run of a [`Trainer`] with the same config, with an optimiser of its own. Everything
/// that the strategy remembers is in section `task` of each checkpoint. With checkpoints, a sequence
/// that was killed goes on where it was and ends with the same weights, bit for bit.
#[derive(Debug, Clone)]
pub struct TaskSequence {
    strategy: StrategyConfig,
    trainer: TrainerConfig,
    folder: Option<PathBuf>,
    stop: Option<Arc<AtomicBool>>,
}

impl TaskSequence {
    /// With this strategy, each task trained by this config.
    ///
    /// # Errors
    /// What [`TrainerConfig::validate`] finds.
    pub fn new(strategy: StrategyConfig, trainer: TrainerConfig) -> Result<Self, ForgeError> {
        trainer.validate()?;
        Ok(Self {
            strategy,
            trainer,
            folder: None,
            stop: None,
        })
    }

    /// Writes checkpoints to folders `task-000`, `task-001`, … in `folder`, and goes on from them.
    #[must_use]
    pub fn with_checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// A flag that ends the sequence after the step in progress.
    #[must_use]
    pub fn with_stop_flag(mut self, flag: Arc<AtomicBool>) -> Self {
        self.stop = Some(flag);
        self
    }

    /// Learns all tasks, beginning with `module`, computing on `device`.
    ///
    /// # Errors
    /// A config error for a strategy that does not fit, a task without rows, or a checkpoint of
    /// another run; whatever the task, the strategy and the trainer find.
    pub fn fit<T: ContinualTask>(
        &self,
        task: &mut T,
        module: T::Module,
        device: &Device,
    ) -> Result<Learned<T>, ForgeError> {
        let tasks = task.task_rows().len();
        check::at_least_one("tasks", tasks)?;
        for (number, rows) in task.task_rows().iter().enumerate() {
            check::at_least_one(&format!("rows of task {number}"), rows.len())?;
        }
        let mut strategy = self.strategy.build::<T>(tasks)?;
        let device = device.clone().autodiff();
        let mut module = match module.devices().iter().any(Device::is_autodiff) {
            true => module,
            false => module.train(),
        };
        let start = all_scores(task, &*strategy, &module, tasks)?;
        let mut scores = TaskScores::new(task.better(), start)?;
        let mut stop = StopReason::Completed;
        for number in 0..tasks {
            let stage = Stage {
                task: number,
                tasks,
                seed: self.trainer.seed,
                device: device.clone(),
            };
            // What a beginning draws (a new column) follows from the seed and the task alone.
            device.seed(self.trainer.seed.wrapping_add(number as u64));
            if let Some(other) = strategy.begin(&stage, task, &module)? {
                module = other;
            }
            let rows = task.task_rows()[number].clone();
            let identity = json!({"strategy": self.strategy, "task": number, "tasks": tasks});
            let mut trainer = Trainer::new(self.trainer.clone())?.with_identity(&identity)?;
            if let Some(folder) = &self.folder {
                let folder = folder.join(format!("task-{number:03}"));
                trainer = trainer.with_checkpoints(folder, Start::ResumeOrFresh);
            }
            if let Some(flag) = &self.stop {
                trainer = trainer.with_stop_flag(flag.clone());
            }
            let mut lesson = Lesson {
                whole: task,
                strategy: &mut *strategy,
                stage: stage.clone(),
                rows,
            };
            let outcome = trainer.fit(&mut lesson, module)?;
            module = outcome.module.train();
            stop = outcome.stop;
            if !matches!(stop, StopReason::Completed | StopReason::EarlyStopped) {
                let scores = None;
                return Ok(Learned {
                    module: module.valid(),
                    strategy,
                    scores,
                    stop,
                });
            }
            device.seed(self.trainer.seed.wrapping_add(number as u64));
            strategy.end(&stage, task, &module)?;
            scores.push(all_scores(task, &*strategy, &module, tasks)?)?;
        }
        Ok(Learned {
            module: module.valid(),
            strategy,
            scores: Some(scores),
            stop,
        })
    }
}

fn of_task<T: ContinualTask>(
    strategy: &dyn Strategy<T>,
    module: &T::Module,
    task: usize,
) -> Result<T::Module, ForgeError> {
    let weights = strategy.network_of(task, module)?;
    let module = module.valid();
    match weights {
        Some(weights) => weights.load_into(module),
        None => Ok(module),
    }
}

fn all_scores<T: ContinualTask>(
    task: &T,
    strategy: &dyn Strategy<T>,
    module: &T::Module,
    tasks: usize,
) -> Result<Vec<f64>, ForgeError> {
    let each = (0..tasks).map(|number| {
        let network = of_task(strategy, module, number)?;
        task.score(&network, number)
    });
    each.collect()
}
