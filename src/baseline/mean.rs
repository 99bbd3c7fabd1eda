//! The mean of the training target.

use std::sync::atomic::AtomicBool;

use super::{DenseColumns, FittedNumbers, NumberBaseline};
use crate::Error;

/// Predicts the training mean everywhere: R² is 0 or a little below.
#[derive(Debug, Clone, Copy, Default)]
pub struct MeanBaseline;

/// The mean.
#[derive(Debug)]
struct Mean(f64);

impl NumberBaseline for MeanBaseline {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn fit(
        &self,
        _train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        _stop: &AtomicBool,
    ) -> Result<Box<dyn FittedNumbers>, Error> {
        let weight = |row: usize| weights.map_or(1.0, |w| w[row]);
        let total: f64 = (0..target.len()).map(weight).sum();
        let sum: f64 = target.iter().enumerate().map(|(i, y)| weight(i) * y).sum();
        let mean = if total > 0.0 { sum / total } else { 0.0 };
        Ok(Box::new(Mean(mean)))
    }
}

impl FittedNumbers for Mean {
    fn predict(&self, rows: &DenseColumns) -> Vec<f64> {
        vec![self.0; rows.n_rows()]
    }
}
