//! Linear regression with a squared penalty.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::{Baseline, DenseColumns};
use crate::Error;
use forge_nn::ForgeError;

/// Ridge regression on standardised columns: `(XᵀX + αI) w = Xᵀy`, the intercept not penalised
/// (Hoerl and Kennard 1970).
#[derive(Debug, Clone, Copy)]
pub struct RidgeBaseline {
    /// The penalty α, finite and above 0. Default 1.
    pub alpha: f64,
}

impl Default for RidgeBaseline {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl Baseline for RidgeBaseline {
    fn name(&self) -> &'static str {
        "ridge"
    }

    fn fit_predict(
        &self,
        train: &DenseColumns,
        target: &[f64],
        test: &DenseColumns,
    ) -> Result<Vec<f64>, Error> {
        forge_nn::check::positive("alpha", self.alpha)?;
        let n = target.len();
        if n == 0 {
            return Err(ForgeError::shape("ridge target", "0 rows", "at least 1").into());
        }
        let scales: Vec<(f64, f64)> = train.columns.iter().map(|c| mean_and_scale(c)).collect();
        let design = |data: &DenseColumns| {
            DMatrix::from_fn(data.n_rows(), scales.len(), |i, j| {
                (data.columns[j][i] - scales[j].0) / scales[j].1
            })
        };
        let x = design(train);
        let mean = target.iter().sum::<f64>() / n as f64;
        let y = DVector::from_iterator(n, target.iter().map(|v| v - mean));
        let penalty = DMatrix::from_diagonal_element(scales.len(), scales.len(), self.alpha);
        let gram = x.tr_mul(&x) + penalty;
        let weights = Cholesky::new(gram)
            .ok_or_else(|| ForgeError::training("ridge: the features are not finite"))?
            .solve(&x.tr_mul(&y));
        Ok((design(test) * weights).iter().map(|v| v + mean).collect())
    }
}

/// A constant column keeps scale 1 and becomes zeros.
fn mean_and_scale(column: &[f64]) -> (f64, f64) {
    let n = column.len().max(1) as f64;
    let mean = column.iter().sum::<f64>() / n;
    let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    (mean, scale)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn recovers_a_line_and_ignores_a_constant_column() {
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|v| 3.0 - 0.5 * v).collect();
        let train = DenseColumns {
            columns: vec![x, vec![7.0; 50]],
        };
        let test = DenseColumns {
            columns: vec![vec![100.0], vec![7.0]],
        };
        let ridge = RidgeBaseline { alpha: 1e-9 };
        let predicted = ridge.fit_predict(&train, &y, &test).unwrap();
        assert!((predicted[0] + 47.0).abs() < 1e-6, "{predicted:?}");
    }

    #[test]
    fn refuses_a_penalty_of_zero() {
        let error = RidgeBaseline { alpha: 0.0 }
            .fit_predict(&DenseColumns::default(), &[1.0], &DenseColumns::default())
            .unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains("alpha = 0"),
            "{error}"
        );
    }
}
