//! The table of a run and its split.

use std::path::Path;

use forge_data::{
    DataError, Passage, ReadOptions, ReadReport, Split, SplitConfig, Table, TaskKind, infer_task,
    read_table,
};

use super::ExperimentConfig;
use super::split_parts::check_parts;
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
    /// How the table was read, as another file is to be read to mean the same.
    pub read: ReadOptions,
    /// What reading the file did; absent for synthetic data and for what came through a pipe.
    pub report: Option<ReadReport>,
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
        let mut read = config.read.clone();
        let mut report = None;
        let table = match (&config.data, &config.market) {
            (Some(path), _) => {
                let (table, found) = from_file(config, path)?;
                let name = path.file_name().unwrap_or(path.as_os_str());
                let name = name.to_string_lossy();
                notes.push(format!("data: {name} ({} rows)", table.n_rows()));
                notes.extend(found.to_string().lines().map(String::from));
                read = read.as_read(&found);
                // A pipe is not there to be read again.
                report = path.is_file().then_some(found);
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
        let rows = rows(config, &table, &mut notes)?;
        let (task, why) = task(config, &table, &rows)?;
        config.baselines.check(task)?;
        notes.push(why);
        let rule = rule(config, task);
        let validation = config.estimator.validation_fraction;
        let split = rule.split_rows(&table, &rows, validation)?;
        notes.push(format!(
            "split: {rule}; {} training, {} validation, {} hold-out rows",
            split.train.len(),
            split.validation.len(),
            split.test.len()
        ));
        notes.extend(check_parts(&rule, &split, validation)?);
        let others = config.not_features(&table);
        let unread = config.ignore.iter().filter(|name| !others.contains(name));
        let others: Vec<&str> = unread.chain(&others).map(String::as_str).collect();
        if !others.is_empty() {
            notes.push(format!("not features: {}", others.join(", ")));
        }
        if let Some(column) = config.split_column() {
            notes.push(format!(
                "'{column}' sets training and hold-out rows apart and is no feature; \
                 keep_split_column says otherwise"
            ));
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
            read,
            report,
        })
    }

    /// Writes some rows (0-based) as CSV, as they stand in the file that they came from.
    ///
    /// # Errors
    /// An I/O error, or a data error if the file is not what it was.
    pub fn write_sample(&self, path: &Path, rows: &[usize]) -> Result<(), Error> {
        match &self.report {
            Some(report) => Passage::of(report, &self.read)?.write_sample(path, rows)?,
            None => self.table.select_rows(rows)?.write_csv(path)?,
        }
        Ok(())
    }
}

/// The table of a file, without the columns that nothing needs.
fn from_file(config: &ExperimentConfig, path: &Path) -> Result<(Table, ReadReport), Error> {
    let (table, report) = read_table(path, &config.read_options())?;
    let has = |name: &String| report.columns().iter().any(|column| column.name == *name);
    let asked = config.target.iter().chain(&config.ignore);
    // Of the file, not of what was read of it.
    if let Some(name) = asked.chain(&config.weights).find(|name| !has(name)) {
        let known: Vec<&str> = report.columns().iter().map(|c| c.name.as_str()).collect();
        let message = format!("not in the file; it has {}", known.join(", "));
        return Err(DataError::schema(message).at_column(name).into());
    }
    Ok((table, report))
}

/// The rows to use: all, or those that have a target.
fn rows(
    config: &ExperimentConfig,
    table: &Table,
    notes: &mut Vec<String>,
) -> Result<Vec<usize>, Error> {
    for target in &config.target {
        table.column(target)?;
    }
    let rows = table.rows_with_values(&config.target)?;
    let passed = table.n_rows() - rows.len();
    if passed > 0 && !config.skip_missing_target {
        return Err(missing_target(config, table, &rows)?.into());
    }
    if passed > 0 {
        notes.push(format!("{passed} rows without a target passed over"));
    }
    if rows.is_empty() {
        let message = "no row has a value: there is nothing to learn";
        let error = DataError::value(message).at_column(config.target.join(", "));
        return Err(error.into());
    }
    Ok(rows)
}

/// Names the first row that is not among `whole`, those with all targets, and how to go on without such rows.
fn missing_target(
    config: &ExperimentConfig,
    table: &Table,
    whole: &[usize],
) -> Result<DataError, DataError> {
    let first = (0..).zip(whole).take_while(|(i, row)| i == *row).count();
    let message = format!(
        "the target is missing, as in {} of {} rows; `--skip-missing-target` \
         (`skip_missing_target` in a file of settings) passes over them, or give them a value",
        table.n_rows() - whole.len(),
        table.n_rows()
    );
    let error = DataError::value(message).at_index(first);
    for target in &config.target {
        if !table.rows_with_values(&[target])?.contains(&first) {
            return Ok(error.at_column(target));
        }
    }
    Ok(error)
}

/// The task, and one line about why it is that.
fn task(config: &ExperimentConfig, table: &Table, rows: &[usize]) -> Result<(Task, String), Error> {
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
    let found = infer_task(table, target, rows)?;
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
