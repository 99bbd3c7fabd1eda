//! Cells of a table as what features are computed from.

use serde::{Deserialize, Serialize};

use super::report::{SkippedKind, Skips};
use crate::{ColumnValues, DataError, Table};

/// What to do with a row that lacks a cell or holds an impossible one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadCells {
    /// An error naming column and row.
    #[default]
    Refuse,
    /// What needs the cell is missing in that row, and later rows go on as if it had not been; the
    /// report tells how many and the first.
    Skip,
}

/// A cell that cannot be used.
pub(super) struct BadCell<'a> {
    pub(super) column: &'a str,
    pub(super) row: usize,
    pub(super) message: String,
    pub(super) kind: SkippedKind,
}

impl BadCells {
    /// Notes the cell, or refuses it.
    pub(super) fn meet(self, cell: BadCell, skips: &mut Skips) -> Result<(), DataError> {
        match self {
            Self::Refuse => Err(DataError::value(format!(
                "{}; mend the row, or set {} = \"skip\" to go on without it",
                cell.message,
                cell.kind.setting()
            ))
            .at_index(cell.row)
            .at_column(cell.column)),
            Self::Skip => {
                skips.add(cell.column, cell.row, cell.kind);
                Ok(())
            }
        }
    }
}

/// The numbers of a column, which `field` of the config names.
pub(super) fn numbers<'t>(
    table: &'t Table,
    name: &str,
    field: &str,
) -> Result<&'t [f64], DataError> {
    let column = table
        .column(name)
        .map_err(|error| error.with_hint(format!("columns.{field} says which column is meant")))?;
    match &column.values {
        ColumnValues::Numeric(values) => Ok(values),
        _ => Err(DataError::schema(format!(
            "holds {} values, but columns.{field} needs numbers",
            column.kind()
        ))
        .at_column(name)),
    }
}

/// The name of a column that the set needs and the config may leave out.
pub(super) fn needed<'c>(
    name: Option<&'c String>,
    field: &str,
    set: &str,
) -> Result<&'c str, DataError> {
    name.map(String::as_str).ok_or_else(|| {
        DataError::config(format!(
            "the feature set '{set}' needs {field}, but columns.{field} is none: name its column"
        ))
    })
}
