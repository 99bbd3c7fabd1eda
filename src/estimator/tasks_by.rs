//! Which task a row is of.

use std::collections::HashMap;

use forge_data::{Column, ColumnValues, Split, SplitConfig, Table};
use forge_meta::continual::{DriftConfig, tasks_by_drift};
use forge_nn::ForgeError;

use crate::Error;

/// What tells the tasks of a [`ContinualEstimator`](super::ContinualEstimator) apart. The name of a column
/// is [`Column`](Self::Column).
#[derive(Debug, Clone, PartialEq)]
pub enum TasksBy {
    /// A column of labels or numbers, one per task, which is no feature. Tasks come in the order in which
    /// their values first appear.
    Column(String),
    /// Boundaries where the values of a column of numbers drift from row to row
    /// ([`tasks_by_drift`]). The column stays a feature.
    Drift {
        /// The column.
        column: String,
        /// How to test.
        config: DriftConfig,
    },
    /// A table for each task:
    /// [`ContinualEstimator::fit_tables`](super::ContinualEstimator::fit_tables).
    Table,
}

impl From<&str> for TasksBy {
    fn from(column: &str) -> Self {
        Self::Column(column.into())
    }
}

/// Which task each row is of.
pub(super) struct Tasks {
    pub(super) of_row: Vec<usize>,
    pub(super) count: usize,
}

impl Tasks {
    /// Those of tables with so many rows each, one below the other.
    pub(super) fn of_tables(rows: impl Iterator<Item = usize>) -> Self {
        let (mut of_row, mut count) = (vec![], 0);
        for rows in rows {
            of_row.extend(std::iter::repeat_n(count, rows));
            count += 1;
        }
        Self { of_row, count }
    }

    /// Rows to learn from, and this part of each task's held out.
    pub(super) fn split(&self, seed: u64, fraction: f64) -> Result<Split, Error> {
        const TASK: &str = "task";
        let labels = self.of_row.iter().map(|task| Some(task.to_string()));
        let tasks = Table::new(vec![Column::categorical(TASK, labels)])?;
        let split = SplitConfig::Random {
            fraction: 0.0,
            seed,
            stratify: Some(TASK.into()),
        };
        Ok(split.split(&tasks, fraction)?)
    }
}

impl TasksBy {
    pub(super) fn tasks(&self, table: &Table) -> Result<Tasks, Error> {
        match self {
            Self::Column(name) => task_of_rows(table, name),
            Self::Drift { column, config } => by_drift(table, column, config),
            Self::Table => {
                let allowed = "a column or a drift test for one table; `fit_tables` takes several";
                Err(ForgeError::config("tasks", "by table", allowed).into())
            }
        }
    }
}

fn by_drift(table: &Table, name: &str, config: &DriftConfig) -> Result<Tasks, Error> {
    let ColumnValues::Numeric(values) = &table.column(name)?.values else {
        let allowed = "a column of numbers, whose values drift";
        return Err(ForgeError::config("drift column", name, allowed).into());
    };
    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
        let value = format!("{name}, {} in row {row}", values[row]);
        let allowed = "a column with a finite number in each row";
        return Err(ForgeError::config("drift column", value, allowed).into());
    }
    let tasks = tasks_by_drift(values, config)?;
    let each = tasks.iter().enumerate();
    let of_row = each.flat_map(|(task, rows)| std::iter::repeat_n(task, rows.len()));
    Ok(Tasks {
        of_row: of_row.collect(),
        count: tasks.len(),
    })
}

fn task_of_rows(table: &Table, name: &str) -> Result<Tasks, Error> {
    let keys: Vec<Option<u64>> = match &table.column(name)?.values {
        ColumnValues::Numeric(values) => {
            let key = |value: &f64| (!value.is_nan()).then(|| value.to_bits());
            values.iter().map(key).collect()
        }
        ColumnValues::Categorical(labels) => {
            let key = |row| labels.label(row).map(|_| u64::from(labels.codes[row]));
            (0..labels.codes.len()).map(key).collect()
        }
        ColumnValues::DateTime(_) => {
            let allowed = "a column of labels or numbers that names the task of each row";
            return Err(
                ForgeError::config("task column", format!("{name}, of times"), allowed).into(),
            );
        }
    };
    let mut known = HashMap::new();
    let mut of_row = vec![];
    for (row, key) in keys.into_iter().enumerate() {
        let Some(key) = key else {
            let value = format!("{name}, missing in row {row}");
            let allowed = "a column that names the task of each row";
            return Err(ForgeError::config("task column", value, allowed).into());
        };
        let next = known.len();
        of_row.push(*known.entry(key).or_insert(next));
    }
    let count = known.len();
    Ok(Tasks { of_row, count })
}
