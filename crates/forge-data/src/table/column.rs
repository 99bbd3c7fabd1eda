//! One column and its values.

use super::Categorical;

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header.
    pub name: String,
    /// The cells.
    pub values: ColumnValues,
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
        }
    }

    /// A column of times in milliseconds since 1970-01-01 UTC; [`Column::MISSING_TIME`] marks a
    /// missing one.
    #[must_use]
    pub fn date_time(name: impl Into<String>, milliseconds: Vec<i64>) -> Self {
        Self {
            name: name.into(),
            values: ColumnValues::DateTime(milliseconds),
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
        }
    }
}
