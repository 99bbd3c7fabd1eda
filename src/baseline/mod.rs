//! What a network must beat to be worth its training: the mean, a ridge regression and gradient
//! boosting.

mod boosting;
mod mean;
mod ridge;

pub use boosting::BoostingBaseline;
pub use mean::MeanBaseline;
pub use ridge::RidgeBaseline;

use crate::Error;

/// Numeric columns of equal length, missing values already imputed.
#[derive(Debug, Clone, Default)]
pub struct DenseColumns {
    /// One vector a column.
    pub columns: Vec<Vec<f64>>,
}

impl DenseColumns {
    /// From values in row-major order, `width` to a row.
    #[must_use]
    pub fn from_row_major(values: &[f32], width: usize) -> Self {
        let columns = (0..width)
            .map(|j| {
                let column = values.iter().skip(j).step_by(width);
                column.map(|v| f64::from(*v)).collect()
            })
            .collect();
        Self { columns }
    }

    /// Rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
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
