//! One column and its values.

use super::Categorical;
use crate::DataError;

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header.
    pub name: String,
    /// The cells.
    pub values: ColumnValues,
    /// For times: the minutes that each one's own clock was ahead of UTC, as its stamp in the file
    /// says; `None` where no stamp has an offset. Which day it was then and there is
    /// `value + 60,000 * offset`.
    pub offsets: Option<Vec<i16>>,
}

/// The cells of a column, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Numbers; NaN marks a missing value. f64, so that prices and 2^53 integers survive.
    Numeric(Vec<f64>),
    /// Labels.
    Categorical(Categorical),
    /// Milliseconds since 1970-01-01 UTC; `i64::MIN` marks a missing value. For splitting and
    /// calendar features; not a feature by itself.
    DateTime(Vec<i64>),
}

impl Column {
    /// The missing value of [`ColumnValues::DateTime`].
    pub const MISSING_TIME: i64 = i64::MIN;

    /// A numeric column; NaN marks a missing value.
    #[must_use]
    pub fn numeric(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            values: ColumnValues::Numeric(values),
            offsets: None,
        }
    }

    /// A column of labels; `None` marks a missing one. Codes are given in order of first
    /// appearance.
    ///
    /// ```
    /// use forge_data::Column;
    /// let column = Column::categorical("option_type", [Some("C"), None, Some("P")]);
    /// assert_eq!(column.len(), 3);
    /// ```
    #[must_use]
    pub fn categorical<S: AsRef<str>>(
        name: impl Into<String>,
        labels: impl IntoIterator<Item = Option<S>>,
    ) -> Self {
        Self {
            name: name.into(),
            values: ColumnValues::Categorical(Categorical::from_labels(labels)),
            offsets: None,
        }
    }

    /// A column of times in milliseconds since 1970-01-01 UTC; [`Column::MISSING_TIME`] marks a
    /// missing one.
    #[must_use]
    pub fn date_time(name: impl Into<String>, milliseconds: Vec<i64>) -> Self {
        Self {
            name: name.into(),
            values: ColumnValues::DateTime(milliseconds),
            offsets: None,
        }
    }

    /// The same times, each with the minutes that its own clock is ahead of UTC.
    ///
    /// # Errors
    /// A schema error if the column does not hold times, or as many as there are offsets.
    pub fn with_offsets(mut self, minutes: Vec<i16>) -> Result<Self, DataError> {
        match &self.values {
            ColumnValues::DateTime(times) if times.len() == minutes.len() => {
                self.offsets = Some(minutes);
                Ok(self)
            }
            _ => Err(DataError::schema(format!(
                "{} offsets for a column of {} {} values",
                minutes.len(),
                self.len(),
                self.kind()
            ))
            .at_column(&self.name)),
        }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            ColumnValues::Numeric(v) => v.len(),
            ColumnValues::Categorical(c) => c.codes.len(),
            ColumnValues::DateTime(v) => v.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cell at a row (from 0) is missing.
    pub(crate) fn is_missing(&self, row: usize) -> bool {
        match &self.values {
            ColumnValues::Numeric(v) => v[row].is_nan(),
            ColumnValues::Categorical(c) => c.label(row).is_none(),
            ColumnValues::DateTime(v) => v[row] == Self::MISSING_TIME,
        }
    }

    /// Number of missing cells.
    #[must_use]
    pub fn missing(&self) -> usize {
        match &self.values {
            ColumnValues::Numeric(v) => v.iter().filter(|x| x.is_nan()).count(),
            ColumnValues::Categorical(c) => {
                let missing = |code: &&u32| **code == Categorical::MISSING;
                c.codes.iter().filter(missing).count()
            }
            ColumnValues::DateTime(v) => v.iter().filter(|t| **t == Self::MISSING_TIME).count(),
        }
    }

    /// The cells at these rows, in this order. A categorical column keeps its whole list of
    /// categories, so that codes mean the same in every part of a table.
    ///
    /// # Panics
    /// If a row is out of range; [`crate::Table::select_rows`] checks.
    #[must_use]
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        let values = match &self.values {
            ColumnValues::Numeric(v) => ColumnValues::Numeric(rows.iter().map(|&r| v[r]).collect()),
            ColumnValues::Categorical(c) => ColumnValues::Categorical(Categorical {
                codes: rows.iter().map(|&r| c.codes[r]).collect(),
                categories: c.categories.clone(),
            }),
            ColumnValues::DateTime(v) => {
                ColumnValues::DateTime(rows.iter().map(|&r| v[r]).collect())
            }
        };
        Self {
            name: self.name.clone(),
            values,
            offsets: self
                .offsets
                .as_ref()
                .map(|offsets| rows.iter().map(|&r| offsets[r]).collect()),
        }
    }
}
