//! How frequent the classes are.

use std::sync::atomic::AtomicBool;

use super::{ClassBaseline, DenseColumns};
use crate::Error;

/// Predicts the training frequencies of the classes everywhere, so that the most frequent class is
/// taken for every row.
#[derive(Debug, Clone, Copy, Default)]
pub struct MajorityBaseline;

impl ClassBaseline for MajorityBaseline {
    fn name(&self) -> &'static str {
        "majority"
    }

    fn fit_predict(
        &self,
        _train: &DenseColumns,
        labels: &[usize],
        n_classes: usize,
        weights: Option<&[f64]>,
        test: &DenseColumns,
        _stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        let mut counts = vec![0.0; n_classes];
        for (row, label) in labels.iter().enumerate() {
            counts[*label] += weights.map_or(1.0, |w| w[row]);
        }
        let total: f64 = counts.iter().sum();
        let uniform = 1.0 / n_classes as f64;
        let share = |n: &f64| if total > 0.0 { n / total } else { uniform };
        let shares: Vec<f64> = counts.iter().map(share).collect();
        Ok(shares.repeat(test.n_rows()))
    }
}
