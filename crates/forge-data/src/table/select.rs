//! Parts of a table.

use super::Table;
use crate::DataError;

impl Table {
    /// The rows at these places (from 0), in this order; a row may occur more than once.
    ///
    /// Categorical columns keep their whole list of categories, so that codes mean the same in
    /// every part of a table.
    ///
    /// # Errors
    /// A config error naming the first place that is out of range.
    pub fn select_rows(&self, rows: &[usize]) -> Result<Self, DataError> {
        if let Some(bad) = rows.iter().find(|&&row| row >= self.rows) {
            return Err(DataError::config(format!(
                "row index {bad} is outside a table of {} rows (0 to {})",
                self.rows,
                self.rows.saturating_sub(1)
            )));
        }
        Ok(Self {
            columns: self.columns.iter().map(|c| c.gather(rows)).collect(),
            rows: if self.columns.is_empty() {
                0
            } else {
                rows.len()
            },
        })
    }

    /// The rows (from 0, ascending) in which every one of these columns has a value: those that can
    /// be learned from, where the columns are the targets.
    ///
    /// # Errors
    /// A schema error if a column is not there.
    pub fn rows_with_values<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<usize>, DataError> {
        let columns = names
            .iter()
            .map(|name| self.column(name.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let whole = |row: &usize| columns.iter().all(|column| !column.is_missing(*row));
        Ok((0..self.rows).filter(whole).collect())
    }

    /// The first `n` rows, or all where there are fewer.
    #[must_use]
    pub fn head(&self, n: usize) -> Self {
        let rows: Vec<usize> = (0..n.min(self.rows)).collect();
        Self {
            columns: self.columns.iter().map(|c| c.gather(&rows)).collect(),
            rows: rows.len(),
        }
    }

    /// The columns called so, in this order.
    ///
    /// # Errors
    /// A schema error if one is not there or is named twice.
    pub fn select_columns<S: AsRef<str>>(&self, names: &[S]) -> Result<Self, DataError> {
        let columns = names
            .iter()
            .map(|name| self.column(name.as_ref()).cloned())
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(columns)
    }

    /// The table without the columns called so.
    ///
    /// # Errors
    /// A schema error if one of them is not there.
    pub fn drop_columns<S: AsRef<str>>(mut self, names: &[S]) -> Result<Self, DataError> {
        for name in names {
            self.column(name.as_ref())?;
        }
        self.columns
            .retain(|c| !names.iter().any(|name| name.as_ref() == c.name));
        Self::new(self.columns)
    }
}
