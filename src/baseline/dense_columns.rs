//! Features as baselines take them.

/// A matrix of numbers without holes, column after column: one copy serves all baselines.
#[derive(Debug, Clone, Default)]
pub struct DenseColumns {
    values: Vec<f64>,
    n_rows: usize,
    n_columns: usize,
}

impl DenseColumns {
    /// From values in row-major order, `n_columns` to a row.
    #[must_use]
    pub fn from_row_major(values: &[f32], n_columns: usize) -> Self {
        let columns = (0..n_columns).flat_map(|j| values.iter().skip(j).step_by(n_columns));
        Self {
            values: columns.map(|v| f64::from(*v)).collect(),
            n_rows: values.len() / n_columns.max(1),
            n_columns,
        }
    }

    /// The rows for which `keep` holds.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.n_rows).filter(|row| keep(*row)).collect();
        let columns = self.values.chunks_exact(self.n_rows.max(1));
        Self {
            values: columns
                .flat_map(|column| rows.iter().map(|row| column[*row]))
                .collect(),
            n_rows: rows.len(),
            n_columns: self.n_columns,
        }
    }

    /// The rows of both, of equally many columns.
    ///
    /// # Panics
    /// If the numbers of columns differ.
    #[must_use]
    pub fn followed_by(&self, other: &Self) -> Self {
        assert_eq!(self.n_columns, other.n_columns, "columns of both matrices");
        let column = |j: usize| self.column(j).iter().chain(other.column(j));
        Self {
            values: (0..self.n_columns).flat_map(column).copied().collect(),
            n_rows: self.n_rows + other.n_rows,
            n_columns: self.n_columns,
        }
    }

    /// Rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The values, column after column.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    fn column(&self, j: usize) -> &[f64] {
        &self.values[j * self.n_rows..(j + 1) * self.n_rows]
    }
}
