//! What is written beside a file's rows.

use super::RowNumbers;
use crate::read::report::ReadReport;
use crate::{Column, DataError};

/// What a row of a file is to the table that was read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The row with the names, or the last of several.
    Header,
    /// A row of the table (0-based).
    Data(usize),
    /// Neither: a title, units, a total.
    Other,
}

/// Columns to write beside a file's rows, and which of its rows.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    pub(super) columns: &'a [Column],
    /// The table's rows that are written, rising; all where absent.
    chosen: Option<Vec<usize>>,
    numbers: &'a RowNumbers,
    header_row: Option<u64>,
}

impl<'a> Beside<'a> {
    pub(super) fn all(columns: &'a [Column], report: &'a ReadReport) -> Result<Self, DataError> {
        for (i, column) in columns.iter().enumerate() {
            if column.len() != report.rows {
                let message = format!("has {} rows for a table of {}", column.len(), report.rows);
                return Err(DataError::schema(message).at_column(&column.name));
            }
            let in_file = report.columns.iter().any(|c| c.name == column.name);
            if in_file || columns[..i].iter().any(|c| c.name == column.name) {
                return Err(DataError::schema(
                    "the file has a column of that name already: rename it there, or write the new \
                     columns alone",
                )
                .at_column(&column.name));
            }
        }
        Ok(Self {
            columns,
            chosen: None,
            numbers: &report.numbers,
            header_row: report.header_row,
        })
    }

    pub(super) fn chosen(rows: &[usize], report: &'a ReadReport) -> Result<Self, DataError> {
        if let Some(row) = rows.iter().find(|row| **row >= report.rows) {
            let message = format!(
                "row index {row} is not in the table of {} rows",
                report.rows
            );
            return Err(DataError::config(message));
        }
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows.dedup();
        Ok(Self {
            columns: &[],
            chosen: Some(rows),
            numbers: &report.numbers,
            header_row: report.header_row,
        })
    }

    /// Whether every row is written.
    pub(super) fn is_whole(&self) -> bool {
        self.chosen.is_none()
    }

    /// Rows of the table.
    pub(super) fn rows(&self) -> usize {
        self.numbers.len()
    }

    /// What the file's row with this number is; absent for one that is not written.
    pub(super) fn place(&self, number: u64) -> Option<Place> {
        if self.header_row == Some(number) {
            return Some(Place::Header);
        }
        let Some(row) = self.numbers.row(number) else {
            return Some(Place::Other);
        };
        let written = self
            .chosen
            .as_ref()
            .is_none_or(|rows| rows.binary_search(&row).is_ok());
        written.then_some(Place::Data(row))
    }
}

/// The error about a file that has not the rows it had.
pub(super) fn changed() -> DataError {
    DataError::parse("the file changed since it was read")
}
