//! A table in memory, column by column.

mod column;

pub use column::{Categorical, Column, ColumnValues};

use crate::DataError;

/// Named columns of equal length.
///
/// Row numbers in a table start at 0; errors count as a person sees a file (header = row 1).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// A schema error if two columns share a name or lengths differ.
    pub fn new(columns: Vec<Column>) -> Result<Self, DataError> {
        let rows = columns.first().map_or(0, Column::len);
        for (i, column) in columns.iter().enumerate() {
            if column.len() != rows {
                return Err(DataError::schema(format!(
                    "has {} rows, but column '{}' has {rows}",
                    column.len(),
                    columns[0].name
                ))
                .at_column(&column.name));
            }
            if columns[..i].iter().any(|c| c.name == column.name) {
                return Err(DataError::schema("the name occurs twice").at_column(&column.name));
            }
        }
        Ok(Self { columns, rows })
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// The columns in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// A schema error that lists the columns there are.
    pub fn column(&self, name: &str) -> Result<&Column, DataError> {
        self.columns.iter().find(|c| c.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
            DataError::schema(format!("not in the table; it has {}", known.join(", ")))
                .at_column(name)
        })
    }
}
