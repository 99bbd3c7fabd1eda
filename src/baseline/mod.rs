//! What a network must beat to be worth its training: the mean, a ridge regression and gradient
//! boosting.

mod boosting;
mod mean;
mod ridge;

pub use boosting::BoostingBaseline;
pub use mean::MeanBaseline;
pub use ridge::RidgeBaseline;

use crate::Error;

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
}

/// A regression without a network, fitted and applied in one call.
pub trait Baseline {
    /// Its name in the leaderboard.
    fn name(&self) -> &'static str;

    /// Fits on the training rows and predicts the test rows.
    ///
    /// # Errors
    /// If the data cannot be fitted (no rows, or the method's own failure).
    fn fit_predict(
        &self,
        train: &DenseColumns,
        target: &[f64],
        test: &DenseColumns,
    ) -> Result<Vec<f64>, Error>;
}

/// All three, in the order of the leaderboard.
#[must_use]
pub fn all() -> Vec<Box<dyn Baseline>> {
    vec![
        Box::new(MeanBaseline),
        Box::new(RidgeBaseline::default()),
        Box::new(BoostingBaseline::default()),
    ]
}
