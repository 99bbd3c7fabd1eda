//! Linear regression with a squared penalty.

use nalgebra::{Cholesky, DMatrix, DMatrixView, DVector};

use super::{Baseline, DenseColumns};
use crate::Error;
use forge_nn::ForgeError;

/// Ridge regression `(XᵀX + αI) w = Xᵀy` on centred columns, the intercept not penalised (Hoerl and
/// Kennard 1970). Columns should be of like scale, as preprocessing makes them.
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
        let x = view(train);
        // Centring by algebra: XᵀX − n m mᵀ needs no second copy of a large matrix.
        let means = x.row_mean().transpose();
        let mean = target.iter().sum::<f64>() / n as f64;
        let y = DVector::from_iterator(n, target.iter().map(|v| v - mean));
        let penalty = DMatrix::from_diagonal_element(x.ncols(), x.ncols(), self.alpha);
        let gram = x.tr_mul(&x) - &means * means.transpose() * n as f64 + penalty;
        let weights = Cholesky::new(gram)
            .ok_or_else(|| ForgeError::training("ridge: the features are not finite"))?
            .solve(&x.tr_mul(&y));
        let intercept = mean - means.dot(&weights);
        Ok((view(test) * weights)
            .iter()
            .map(|v| v + intercept)
            .collect())
    }
}

fn view(data: &DenseColumns) -> DMatrixView<'_, f64> {
    DMatrixView::from_slice(data.values(), data.n_rows(), data.n_columns())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn recovers_a_line_and_ignores_a_constant_column() {
        let rows: Vec<f32> = (0..50_u8).flat_map(|v| [f32::from(v), 7.0]).collect();
        let y: Vec<f64> = (0..50).map(|v| 3.0 - 0.5 * f64::from(v)).collect();
        let train = DenseColumns::from_row_major(&rows, 2);
        let test = DenseColumns::from_row_major(&[100.0, 7.0], 2);
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
