//! The mean of the training target.

use super::{Baseline, DenseColumns};
use crate::Error;

/// Predicts the training mean everywhere: R² is 0 or a little below.
#[derive(Debug, Clone, Copy, Default)]
pub struct MeanBaseline;

impl Baseline for MeanBaseline {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn fit_predict(
        &self,
        _train: &DenseColumns,
        target: &[f64],
        test: &DenseColumns,
    ) -> Result<Vec<f64>, Error> {
        let mean = target.iter().sum::<f64>() / target.len().max(1) as f64;
        Ok(vec![mean; test.n_rows()])
    }
}
