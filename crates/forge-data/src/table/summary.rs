//! How a table shows itself.

use std::fmt::{self, Display};

use super::{Column, ColumnValues, Table};
use crate::printable;
use crate::schema::{date_time, number};

/// Rows shown by `Display`.
const SHOWN_ROWS: usize = 5;
/// Columns shown by `Display`.
const SHOWN_COLUMNS: usize = 50;
/// Letters of a label shown by `Display`.
const SHOWN_LETTERS: usize = 16;

/// One line per column: name, kind, missing cells and the first values.
impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows x {} columns", self.rows, self.columns.len())?;
        let shown = &self.columns[..self.columns.len().min(SHOWN_COLUMNS)];
        let width = shown.iter().map(|c| c.name.chars().count()).max();
        let width = width.unwrap_or(0).min(32);
        for column in shown {
            let name = printable(&column.name);
            write!(f, "\n  {name:width$}  {:11}", column.kind())?;
            let missing = column.missing();
            if missing > 0 {
                write!(f, "  {missing} missing")?;
            }
            if let ColumnValues::Categorical(c) = &column.values {
                write!(f, "  {} labels", c.categories.len())?;
            }
            let cells: Vec<String> = (0..self.rows.min(SHOWN_ROWS))
                .map(|row| cell(column, row))
                .collect();
            let dots = if self.rows > SHOWN_ROWS { ", .." } else { "" };
            write!(f, "  [{}{dots}]", cells.join(", "))?;
        }
        if self.columns.len() > SHOWN_COLUMNS {
            let more = self.columns.len() - SHOWN_COLUMNS;
            write!(f, "\n  and {more} more columns")?;
        }
        Ok(())
    }
}

fn cell(column: &Column, row: usize) -> String {
    const MISSING: &str = "missing";
    match &column.values {
        ColumnValues::Numeric(v) if v[row].is_nan() => MISSING.into(),
        ColumnValues::Numeric(v) => number::format(v[row]),
        ColumnValues::Categorical(c) => c.label(row).map_or(MISSING.into(), |label| {
            if label.chars().count() > SHOWN_LETTERS {
                let start: String = label.chars().take(SHOWN_LETTERS).collect();
                format!("{start:?}..")
            } else {
                format!("{label:?}")
            }
        }),
        ColumnValues::DateTime(v) if v[row] == Column::MISSING_TIME => MISSING.into(),
        ColumnValues::DateTime(v) => {
            date_time::format(v[row]).unwrap_or_else(|| format!("{} ms", v[row]))
        }
    }
}
