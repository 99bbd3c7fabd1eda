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

    /// Rows to learn from, and this part of each task's held out; of each class in it, if there are `classes`.
    pub(super) fn split(
        &self,
        classes: Option<&ColumnValues>,
        seed: u64,
        fraction: f64,
    ) -> Result<Split, Error> {
        const PART: &str = "task and class";
        let class = |row: usize| classes.and_then(|values| key(values, row));
        let parts = self.of_row.iter().enumerate();
        let parts: Vec<_> = parts.map(|(row, task)| (task, class(row))).collect();
        let mut sizes = HashMap::new();
        for part in &parts {
            *sizes.entry(part).or_insert(0) += 1;
        }
        // The only row of its class in a task is one of the task's rows.
        let labels = parts.iter().map(|part| match part {
            (task, Some(class)) if sizes[part] > 1 => Some(format!("{task} {class}")),
            (task, _) => Some(task.to_string()),
        });
        let tasks = Table::new(vec![Column::categorical(PART, labels)])?;
        let split = SplitConfig::Random {
            fraction: 0.0,
            seed,
            stratify: Some(PART.into()),
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

/// What tells the value of a row from another's; none where it is missing, or for times.
fn key(values: &ColumnValues, row: usize) -> Option<u64> {
    match values {
        ColumnValues::Numeric(values) => (!values[row].is_nan()).then(|| values[row].to_bits()),
        ColumnValues::Categorical(labels) => {
            labels.label(row).map(|_| u64::from(labels.codes[row]))
        }
        ColumnValues::DateTime(_) => None,
    }
}

fn task_of_rows(table: &Table, name: &str) -> Result<Tasks, Error> {
    let values = &table.column(name)?.values;
    if let ColumnValues::DateTime(_) = values {
        let allowed = "a column of labels or numbers that names the task of each row";
        return Err(ForgeError::config("task column", format!("{name}, of times"), allowed).into());
    }
    let mut known = HashMap::new();
    let mut of_row = vec![];
    for row in 0..table.n_rows() {
        let Some(key) = key(values, row) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_each_task_is_held_out_by_its_share() -> Result<(), Error> {
        // Three rows of the rare class in the first task, two in the second, one in the third.
        let rare = |task: usize, i: usize| i < 3 - task;
        let tasks = Tasks::of_tables([30, 20, 10].into_iter());
        let place = |row: usize| row - [0, 30, 50][tasks.of_row[row]];
        let is_rare = |row: &usize| rare(tasks.of_row[*row], place(*row));
        let values = (0..60).map(|row| f64::from(u8::from(is_rare(&row))));
        let values = ColumnValues::Numeric(values.collect());
        for seed in 0..20 {
            let split = tasks.split(Some(&values), seed, 0.2)?;
            for task in 0..3 {
                let of_task = |row: &&usize| tasks.of_row[**row] == task;
                let held: Vec<usize> = split.validation.iter().filter(of_task).copied().collect();
                let of_rare = held.iter().filter(|row| is_rare(row)).count();
                assert_eq!(held.len(), [6, 4, 2][task], "{held:?}");
                // The only one of its class is held out or not.
                assert!(task == 2 || of_rare == 1, "{held:?}");
            }
        }
        Ok(())
    }
}
