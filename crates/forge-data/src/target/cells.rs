//! The cells of a target column as class labels.

use std::collections::HashMap;

use super::labels::canonical;
use crate::preprocess::check_rows;
use crate::schema::number;
use crate::{Categorical, Column, ColumnValues, DataError, Table};

/// The labels of some rows, none of them missing.
pub(super) struct ClassCells {
    /// Row by row, an index into `labels`.
    pub(super) codes: Vec<u32>,
    /// In canonical spelling; two may be equal, and one may occur in no row.
    pub(super) labels: Vec<String>,
    /// The column holds numbers.
    pub(super) numeric: bool,
}

impl ClassCells {
    /// Reads column `name` in `rows` (0-based), or in every row.
    ///
    /// # Errors
    /// - schema: the column is not in the table or holds dates
    /// - value: a cell is missing or infinite; row and column are named
    /// - config: a row is not in the table
    pub(super) fn read(
        table: &Table,
        name: &str,
        rows: Option<&[usize]>,
    ) -> Result<Self, DataError> {
        let column = table.column(name)?;
        if let Some(rows) = rows {
            check_rows(rows, table)?;
        }
        let n = rows.map_or(table.n_rows(), <[usize]>::len);
        let rows = (0..n).map(|i| rows.map_or(i, |rows| rows[i]));
        match &column.values {
            ColumnValues::Numeric(values) => Self::numbers(values, rows, name),
            ColumnValues::Categorical(cells) => Self::texts(cells, rows, name),
            ColumnValues::DateTime(_) => Err(dates(column)),
        }
    }

    fn numbers(
        values: &[f64],
        rows: impl Iterator<Item = usize>,
        name: &str,
    ) -> Result<Self, DataError> {
        let mut known: HashMap<u64, u32> = HashMap::new();
        let mut labels = Vec::new();
        let mut code = |row: usize| {
            // Negative zero is zero.
            let value = values[row] + 0.0;
            if value.is_nan() {
                return Err(missing(row, name));
            }
            if value.is_infinite() {
                return Err(DataError::value(format!(
                    "the target is {value}; a class label must be finite"
                ))
                .at_index(row)
                .at_column(name));
            }
            Ok(*known.entry(value.to_bits()).or_insert_with(|| {
                labels.push(number::format(value));
                labels.len() as u32 - 1
            }))
        };
        let codes = rows.map(&mut code).collect::<Result<_, _>>()?;
        Ok(Self {
            codes,
            labels,
            numeric: true,
        })
    }

    fn texts(
        cells: &Categorical,
        rows: impl Iterator<Item = usize>,
        name: &str,
    ) -> Result<Self, DataError> {
        let labels: Vec<String> = cells.categories.iter().map(|l| canonical(l)).collect();
        let code = |row: usize| match cells.codes[row] {
            Categorical::MISSING => Err(missing(row, name)),
            code if (code as usize) < labels.len() => Ok(code),
            code => Err(DataError::value(format!(
                "code {code} has no label; there are {}",
                labels.len()
            ))
            .at_index(row)
            .at_column(name)),
        };
        Ok(Self {
            codes: rows.map(code).collect::<Result<_, _>>()?,
            labels,
            numeric: false,
        })
    }

    /// How many rows have each of [`labels`](Self::labels).
    pub(super) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.labels.len()];
        for code in &self.codes {
            counts[*code as usize] += 1;
        }
        counts
    }
}

pub(super) fn dates(column: &Column) -> DataError {
    DataError::schema("holds dates; a target must be numbers or labels").at_column(&column.name)
}

fn missing(row: usize, name: &str) -> DataError {
    DataError::value(
        "the target is missing; every row used needs a class: drop the row, or give it a label",
    )
    .at_index(row)
    .at_column(name)
}
