//! A table in memory, column by column.

mod categorical;
mod column;
mod file_kind;
mod select;
mod stack;
mod summary;
mod write_csv;
#[cfg(feature = "parquet")]
mod write_parquet;

pub use categorical::Categorical;
pub(crate) use categorical::LabelEncoder;
pub use column::{Column, ColumnValues};
pub(crate) use file_kind::FileKind;
#[cfg(not(feature = "parquet"))]
pub(crate) use file_kind::parquet_is_missing;
pub(crate) use write_csv::cell_text;
#[cfg(feature = "parquet")]
pub(crate) use write_parquet::{parquet_type, write_parquet, write_parquet_column};

use std::collections::HashSet;

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
        let mut names = HashSet::with_capacity(columns.len());
        for column in &columns {
            if column.len() != rows {
                return Err(DataError::schema(format!(
                    "has {} rows, but column '{}' has {rows}",
                    column.len(),
                    columns[0].name
                ))
                .at_column(&column.name));
            }
            let offsets = column.offsets.as_ref();
            if let Some(offsets) = offsets.filter(|offsets| offsets.len() != rows) {
                let message = format!("has {} offsets for {rows} rows", offsets.len());
                return Err(DataError::schema(message).at_column(&column.name));
            }
            if !names.insert(column.name.as_str()) {
                return Err(DataError::schema("the name occurs twice").at_column(&column.name));
            }
        }
        Ok(Self { columns, rows })
    }

    /// A table of numbers from an array in row-major order, one name per column; NaN is missing.
    ///
    /// # Shapes
    /// - names: `F`
    /// - row_major: `[N, F]`, flattened
    ///
    /// # Errors
    /// A schema error if a name occurs twice, there is no name, or the length of the array is
    /// not a multiple of the number of names.
    ///
    /// ```
    /// use forge_data::Table;
    /// let table = Table::from_numeric(["x", "y"], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(table.n_rows(), 3);
    /// # Ok::<(), forge_data::DataError>(())
    /// ```
    pub fn from_numeric<T: Copy + Into<f64>>(
        names: impl IntoIterator<Item = impl Into<String>>,
        row_major: &[T],
    ) -> Result<Self, DataError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let width = names.len();
        if width == 0 || !row_major.len().is_multiple_of(width) {
            return Err(DataError::schema(format!(
                "{} values do not fill rows of {width} columns",
                row_major.len()
            )));
        }
        let columns = names
            .into_iter()
            .enumerate()
            .map(|(i, name)| {
                let values = row_major.iter().skip(i).step_by(width);
                Column::numeric(name, values.map(|&v| v.into()).collect())
            })
            .collect();
        Self::new(columns)
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// The columns in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns, taken out.
    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// A schema error that lists the columns there are.
    pub fn column(&self, name: &str) -> Result<&Column, DataError> {
        Ok(&self.columns[self.column_index(name)?])
    }

    /// The place of the column called `name`.
    ///
    /// # Errors
    /// A schema error that lists the columns there are.
    pub fn column_index(&self, name: &str) -> Result<usize, DataError> {
        let found = self.columns.iter().position(|c| c.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
            DataError::schema(format!("not in the table; it has {}", known.join(", ")))
                .at_column(name)
        })
    }

    /// The table with one more column at the end.
    ///
    /// # Errors
    /// A schema error if the name is taken or the length differs.
    pub fn with_column(mut self, column: Column) -> Result<Self, DataError> {
        self.columns.push(column);
        Self::new(self.columns)
    }
}
