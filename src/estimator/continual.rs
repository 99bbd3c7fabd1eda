//! Tables whose rows are of several tasks, learned one after the other.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_data::{Split, Table, TaskKind};
use forge_meta::continual::{ContinualTask, Says, StrategyConfig, TaskScores, TaskSequence};
use forge_models::{Model, ModelConfig, RowContext};
use forge_nn::{ForgeError, Forward};
use forge_train::checkpoint::PartState;
use forge_train::metric::{Direction, Score, Scores};
use forge_train::objective::Objective;
use forge_train::{StepContext, TrainTask, TrainerConfig};

use super::table_task::{TableTask, Validation};
use super::tasks_by::{Tasks, TasksBy};
use super::{EstimatorConfig, FitOptions, FittedModel, TabularEstimator};
use crate::Error;

/// An estimator that learns one task after the other: [`TabularEstimator::continual`].
///
/// [`TasksBy`] says which task a row is of: a column, a drift test, or the table that it is in.
/// Preprocessing and targets are made from the training rows of all tasks together, so that the
/// columns keep their meaning. Of each task's rows the config's part is held out to score it. Nothing
/// is stopped early or averaged over steps.
///
/// `pack_net` and `progressive` have a network per task, which the file of a model of one network cannot
/// hold: use [`TaskSequence`] for them, and its
/// [`Learned::network_of`](forge_meta::continual::Learned::network_of).
#[derive(Debug, Clone, PartialEq)]
pub struct ContinualEstimator {
    pub(super) estimator: TabularEstimator,
    pub(super) strategy: StrategyConfig,
    pub(super) tasks: TasksBy,
}

impl ContinualEstimator {
    /// Learns the tasks of `table` in their order: the model after the last one, an ordinary one, and
    /// how good it was on the held-out rows of every task after each.
    ///
    /// # Errors
    /// A config error for a strategy that does not fit, for a `validation_fraction` of 0, for
    /// `refit` or an `ensemble`, and for a task with too few rows to hold one out; as
    /// [`TabularEstimator::fit`].
    pub fn fit(&self, table: &Table, device: &Device) -> Result<(FittedModel, TaskScores), Error> {
        self.fit_tasks(table, &self.tasks.tasks(table)?, device)
    }

    /// Learns each of `tables` as a task, in their order: as [`fit`](Self::fit) of one table.
    ///
    /// # Errors
    /// A config error where [`TasksBy`] is not by table; a data error that names the table and the column
    /// if the tables have not the same columns; as [`fit`](Self::fit).
    pub fn fit_tables(
        &self,
        tables: &[Table],
        device: &Device,
    ) -> Result<(FittedModel, TaskScores), Error> {
        if self.tasks != TasksBy::Table {
            let value = format!("{:?}", self.tasks);
            let allowed = "TasksBy::Table for several tables; `fit` takes one";
            return Err(ForgeError::config("tasks", value, allowed).into());
        }
        let tasks = Tasks::of_tables(tables.iter().map(Table::n_rows));
        self.fit_tasks(&Table::stacked(tables)?, &tasks, device)
    }

    fn fit_tasks(
        &self,
        table: &Table,
        tasks: &Tasks,
        device: &Device,
    ) -> Result<(FittedModel, TaskScores), Error> {
        let EstimatorConfig {
            validation_fraction: fraction,
            ensemble,
            refit,
            ..
        } = self.estimator.config;
        if fraction <= 0.0 {
            let allowed = "above 0 and below 1: each task is scored on rows that are held out";
            return Err(ForgeError::config("validation_fraction", fraction, allowed).into());
        }
        if refit {
            let allowed = "false for tasks one after the other";
            return Err(ForgeError::config("refit", refit, allowed).into());
        }
        if ensemble > 1 {
            let allowed = "1 for tasks one after the other";
            return Err(ForgeError::config("ensemble", ensemble, allowed).into());
        }
        let name = self.estimator.config.model.name();
        if ModelConfig::capabilities_of(name)?.rows == RowContext::Labelled {
            let allowed = "a model that predicts from a row alone: this one looks at labelled rows, and has those \
                           of all tasks before it from the first step on";
            return Err(ForgeError::config("model", name, allowed).into());
        }
        self.strategy.validate(tasks.count)?;
        if matches!(
            self.strategy,
            StrategyConfig::PackNet { .. } | StrategyConfig::Progressive
        ) {
            let allowed = "a strategy with one network for all tasks, as the file of a fitted model \
                           holds one; a `TaskSequence` learns with this one, and its \
                           `Learned::network_of` gives the network of each task";
            return Err(ForgeError::config("strategy", self.strategy.name(), allowed).into());
        }
        let all: Vec<usize> = (0..table.n_rows()).collect();
        let classes = match self.estimator.kind(table, &all)?.0 {
            TaskKind::Regression => None,
            _ => Some(&table.column(&self.estimator.targets[0])?.values),
        };
        let split = tasks.split(classes, self.estimator.config.training.seed, fraction)?;
        let plan = Plan::new(&self.strategy, tasks, &split)?;
        let estimator = match &self.tasks {
            TasksBy::Column(column) => self.estimator.clone().ignore([column]),
            TasksBy::Drift { .. } | TasksBy::Table => self.estimator.clone(),
        };
        estimator.fit_plan(table, &split, device, FitOptions::default(), plan)
    }
}

impl TabularEstimator {
    /// To learn several tasks one after the other, with a strategy against forgetting. `tasks` tells them
    /// apart: the name of a column, a drift test, or a table for each ([`TasksBy`]).
    ///
    /// ```no_run
    /// use volatilityforge::meta::continual::StrategyConfig;
    /// use volatilityforge::{DeviceName, TabularEstimator, read_table};
    ///
    /// let (table, _) = read_table("quotes.csv", &Default::default())?;
    /// let replay = serde_json::from_str(r#"{"name": "replay", "memory": 500}"#).unwrap();
    /// let estimator = TabularEstimator::new("implied_vol").continual(replay, "year");
    /// let (model, scores) = estimator.fit(&table, &DeviceName::Flex.open()?)?;
    /// println!("forgetting: {:?}", scores.forgetting());
    /// model.save("model.safetensors")?;
    /// # Ok::<(), volatilityforge::Error>(())
    /// ```
    #[must_use]
    pub fn continual(
        &self,
        strategy: StrategyConfig,
        tasks: impl Into<TasksBy>,
    ) -> ContinualEstimator {
        ContinualEstimator {
            estimator: self.clone(),
            strategy,
            tasks: tasks.into(),
        }
    }
}

/// What is learned after what.
pub(super) struct Plan {
    strategy: StrategyConfig,
    /// Places in the training rows, task by task.
    train: Vec<Vec<usize>>,
    /// Rows of the table that are held out, task by task.
    pub(super) held_out: Vec<Vec<usize>>,
}

impl Plan {
    fn new(strategy: &StrategyConfig, tasks: &Tasks, split: &Split) -> Result<Self, Error> {
        let (mut train, mut held_out) = (vec![vec![]; tasks.count], vec![vec![]; tasks.count]);
        for (place, row) in split.train.iter().enumerate() {
            train[tasks.of_row[*row]].push(place);
        }
        for row in &split.validation {
            held_out[tasks.of_row[*row]].push(*row);
        }
        if let Some(task) = held_out.iter().position(Vec::is_empty) {
            let value = format!("none of task {task}");
            let allowed = "at least 2 rows of each task, so that one can be held out";
            return Err(ForgeError::config("held-out rows", value, allowed).into());
        }
        Ok(Self {
            strategy: strategy.clone(),
            train,
            held_out,
        })
    }

    /// Learns all tasks.
    pub(super) fn learn(
        self,
        task: TableTask,
        held_out: Vec<Validation>,
        training: TrainerConfig,
        module: Model,
        device: &Device,
    ) -> Result<(Model, TaskScores), ForgeError> {
        let training = TrainerConfig {
            early_stopping: None,
            ema: None,
            swa: None,
            polyak: None,
            snapshots: None,
            soup: None,
            ..training
        };
        let first = held_out
            .first()
            .map(|rows| task.scores_on(&module.valid(), rows));
        let better = deciding(first.transpose()?.as_ref())?.direction;
        let mut tables = Tables {
            task,
            rows: self.train,
            held_out,
            better,
        };
        let sequence = TaskSequence::new(self.strategy, training)?;
        let learned = sequence.fit(&mut tables, module, device)?;
        let missing = || ForgeError::training("the sequence of tasks was stopped");
        Ok((learned.module, learned.scores.ok_or_else(missing)?))
    }
}

fn deciding(scores: Option<&Scores>) -> Result<Score, ForgeError> {
    let missing = || ForgeError::training("the held-out rows of a task have no score");
    scores
        .and_then(Scores::deciding)
        .cloned()
        .ok_or_else(missing)
}

/// The rows of all tasks.
struct Tables {
    task: TableTask,
    rows: Vec<Vec<usize>>,
    held_out: Vec<Validation>,
    better: Direction,
}

impl TrainTask for Tables {
    type Module = Model;

    fn n_rows(&self) -> usize {
        self.task.n_rows()
    }

    fn loss(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        self.task.loss(module, rows, at)
    }

    fn weight(&self, rows: &[usize]) -> f64 {
        self.task.weight(rows)
    }

    fn rows_interact(&self) -> bool {
        self.task.rows_interact()
    }

    fn after_step(
        &mut self,
        module: &Model,
        at: &StepContext<'_>,
    ) -> Result<Option<Model>, ForgeError> {
        self.task.after_step(module, at)
    }

    fn observe_statistics(
        &mut self,
        module: &Model,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        self.task.observe_statistics(module, rows, at)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.task.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.task.restore(state)
    }
}

impl ContinualTask for Tables {
    fn task_rows(&self) -> &[Vec<usize>] {
        &self.rows
    }

    fn score(&self, module: &Model, task: usize) -> Result<f64, ForgeError> {
        let scores = self.task.scores_on(module, &self.held_out[task])?;
        Ok(deciding(Some(&scores))?.value)
    }

    fn better(&self) -> Direction {
        self.better
    }

    fn outputs(&self, module: &Model, rows: &[usize], _: usize) -> Result<Tensor<2>, ForgeError> {
        let devices = module.devices();
        let device = devices.first().cloned().unwrap_or_default();
        let Forward { y, .. } = self
            .task
            .forward(module, rows, &StepContext::new(&device))?;
        Ok(y)
    }

    fn says(&self) -> Says {
        match self.task.objective.n_classes() {
            None => Says::Numbers,
            Some(_) if self.task.objective.d_out() == 1 => Says::YesOrNo,
            Some(_) => Says::Classes,
        }
    }
}
