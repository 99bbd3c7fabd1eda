//! What a target column asks for.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::cells::dates;
use super::class::{order_texts, whole};
use super::labels::canonical;
use crate::preprocess::check_rows;
use crate::{Categorical, ColumnValues, DataError, Table};

/// Most distinct whole numbers that are taken for classes.
const MAX_INTEGER_CLASSES: usize = 20;

/// Fewest rows per distinct whole number, on average, for the numbers to be taken for classes.
const ROWS_PER_CLASS: usize = 5;

/// What is to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Numbers.
    Regression,
    /// Two classes.
    Binary,
    /// This many classes, three or more.
    Multiclass(usize),
}

impl TaskKind {
    /// Classification of `n` classes.
    #[must_use]
    pub fn of_classes(n: usize) -> Self {
        if n <= 2 {
            Self::Binary
        } else {
            Self::Multiclass(n)
        }
    }
}

/// What [`infer_task`] takes a target for, and why in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferredTask {
    /// What is to be learned.
    pub kind: TaskKind,
    /// Why: `'y' holds 3 labels`.
    pub reason: String,
}

/// `regression: 'y' holds 41 whole numbers, more than 20`.
impl Display for InferredTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = &self.reason;
        match self.kind {
            TaskKind::Regression => write!(f, "regression: {reason}"),
            TaskKind::Binary => write!(f, "two classes: {reason}"),
            TaskKind::Multiclass(n) => write!(f, "{n} classes: {reason}"),
        }
    }
}

/// Guesses from the rows `rows` (0-based) of column `target` what it asks for; missing cells are
/// passed over. A caller who knows better uses [`TargetEncoder::fit_as`](super::TargetEncoder).
///
/// Labels and booleans are classes. Numbers are classes if all are whole, 2 to 20 are distinct,
/// and there are at least 5 rows per distinct number; 0 and 1 alone always are. All other numbers
/// are for regression.
///
/// # Errors
/// - schema: the column is not in the table or holds dates
/// - value: no row has a value, or all have the same label
/// - config: a row is not in the table
pub fn infer_task(table: &Table, target: &str, rows: &[usize]) -> Result<InferredTask, DataError> {
    let column = table.column(target)?;
    check_rows(rows, table)?;
    let empty = || {
        DataError::value("no row has a target: give the column values, or choose another")
            .at_column(target)
    };
    match &column.values {
        ColumnValues::Numeric(values) => {
            let present = rows.iter().map(|row| values[*row]);
            numbers(target, present.filter(|v| !v.is_nan())).ok_or_else(empty)
        }
        ColumnValues::Categorical(cells) => labels(target, cells, rows).ok_or_else(empty)?,
        ColumnValues::DateTime(_) => Err(dates(column)),
    }
}

/// `None` without a value.
fn numbers(name: &str, values: impl Iterator<Item = f64>) -> Option<InferredTask> {
    let regression = |reason: String| InferredTask {
        kind: TaskKind::Regression,
        reason: format!("'{name}' {reason}"),
    };
    let mut distinct = BTreeSet::new();
    let mut rows = 0;
    for value in values {
        rows += 1;
        let Some(number) = whole(value) else {
            return Some(regression(format!(
                "holds numbers that are not whole, such as {value}"
            )));
        };
        distinct.insert(number);
        if distinct.len() > MAX_INTEGER_CLASSES {
            return Some(regression(format!(
                "holds more than {MAX_INTEGER_CLASSES} distinct whole numbers"
            )));
        }
    }
    let n = distinct.len();
    Some(match n {
        0 => return None,
        1 => regression("holds one number only".into()),
        _ if n * ROWS_PER_CLASS > rows && !distinct.iter().eq(&[0, 1]) => regression(format!(
            "holds {n} distinct whole numbers in {rows} rows, fewer than {ROWS_PER_CLASS} rows \
             per number"
        )),
        _ => InferredTask {
            kind: TaskKind::of_classes(n),
            reason: format!("'{name}' holds {n} distinct whole numbers in {rows} rows"),
        },
    })
}

/// `None` without a label.
fn labels(
    name: &str,
    cells: &Categorical,
    rows: &[usize],
) -> Option<Result<InferredTask, DataError>> {
    let mut seen = vec![false; cells.categories.len()];
    for row in rows {
        if let Some(seen) = seen.get_mut(cells.codes[*row] as usize) {
            *seen = true;
        }
    }
    let labels = cells.categories.iter().zip(seen);
    let labels = labels.filter(|(_, seen)| *seen);
    let distinct: BTreeSet<String> = labels.map(|(label, _)| canonical(label)).collect();
    let counted = distinct.iter().map(|label| (label.as_str(), 1)).collect();
    let (labels, _) = order_texts(&counted);
    match labels.len() {
        0 => None,
        1 => Some(Err(DataError::value(format!(
            "all rows have the label {labels}: a classifier needs at least two classes"
        ))
        .at_column(name))),
        n => Some(Ok(InferredTask {
            kind: TaskKind::of_classes(n),
            reason: format!("'{name}' holds {n} labels"),
        })),
    }
}
