//! The table of a run and its split.

use forge_data::{Split, SplitConfig, Table, TaskKind, infer_task, read_table};

use super::ExperimentConfig;
use crate::{Error, Task};

/// A table, what is asked of it, how its rows are used, and what there is to say about all that.
#[derive(Debug, Clone)]
pub struct ExperimentData {
    /// All rows.
    pub table: Table,
    /// Numbers or classes.
    pub task: Task,
    /// Training, validation and hold-out rows.
    pub split: Split,
    /// The rule behind the split.
    pub rule: SplitConfig,
    /// Whether nothing of it was observed.
    pub synthetic: bool,
    /// Where the data come from, what they are taken for, how they are split, what was repaired.
    pub notes: Vec<String>,
}

impl ExperimentData {
    /// Reads or makes the table, finds out the task, and splits the rows.
    ///
    /// # Errors
    /// Bad data, naming file, row and column; a split that the table does not allow.
    pub fn load(config: &ExperimentConfig) -> Result<Self, Error> {
        config.validate()?;
        Self::of(config).map_err(|error| match &config.data {
            Some(path) => error.in_file(path),
            None => error,
        })
    }

    fn of(config: &ExperimentConfig) -> Result<Self, Error> {
        let mut notes = Vec::new();
        let table = match (&config.data, &config.market) {
            (Some(path), _) => {
                let (table, report) = read_table(path, &config.read)?;
                let name = path.file_name().unwrap_or(path.as_os_str());
                let name = name.to_string_lossy();
                notes.push(format!("data: {name} ({} rows)", table.n_rows()));
                notes.extend(report.to_string().lines().map(String::from));
                table
            }
            (None, market) => {
                let market = market.clone().unwrap_or_default();
                let table = market.generate()?;
                notes.push(format!(
                    "data: SYNTHETIC, {} rows (seed {}); no market was observed",
                    table.n_rows(),
                    market.seed
                ));
                table
            }
        };
        let (task, why) = task(config, &table)?;
        config.baselines.check(task)?;
        notes.push(why);
        let rule = rule(config, task);
        let validation = config.estimator.validation_fraction;
        let split = rule.split(&table, validation)?;
        notes.push(format!(
            "split: {rule}; {} training, {} validation, {} hold-out rows",
            split.train.len(),
            split.validation.len(),
            split.test.len()
        ));
        if !config.ignore.is_empty() {
            notes.push(format!("not features: {}", config.ignore.join(", ")));
        }
        if let Some(column) = &config.weights {
            notes.push(format!("rows weighted by {column} in training"));
        }
        Ok(Self {
            table,
            task,
            split,
            rule,
            synthetic: config.data.is_none(),
            notes,
        })
    }
}

/// The task, and one line about why it is that.
fn task(config: &ExperimentConfig, table: &Table) -> Result<(Task, String), Error> {
    for target in &config.target {
        table.column(target)?;
    }
    if let Some(task) = config.task.task() {
        return Ok((task, format!("task: {task}, as asked for")));
    }
    if let Some(task) = config.estimator.implied_task() {
        return Ok((task, format!("task: {task}, by the objective")));
    }
    let [target] = &config.target[..] else {
        let why = "task: regression, of several targets";
        return Ok((Task::Regression, why.into()));
    };
    let all: Vec<usize> = (0..table.n_rows()).collect();
    let found = infer_task(table, target, &all)?;
    let task = match found.kind {
        TaskKind::Regression => Task::Regression,
        TaskKind::Binary | TaskKind::Multiclass(_) => Task::Classification,
    };
    Ok((task, format!("task: {found}; --task says otherwise")))
}

/// Classes are split so that no part lacks one.
fn rule(config: &ExperimentConfig, task: Task) -> SplitConfig {
    let seed = config.estimator.training.seed;
    let mut rule = match &config.split {
        Some(rule) => rule.clone(),
        None => SplitConfig::default().with_seed(seed),
    };
    if let (Task::Classification, SplitConfig::Random { stratify, .. }) = (task, &mut rule)
        && stratify.is_none()
    {
        *stratify = config.target.first().cloned();
    }
    rule
}
