//! Linear regression with a squared penalty.

use std::sync::atomic::{AtomicBool, Ordering};

use nalgebra::{Cholesky, DMatrix, DMatrixView, DVector};

use super::{DenseColumns, FittedNumbers, NumberBaseline, stopped};
use crate::Error;
use forge_nn::ForgeError;

/// Ridge regression `(XᵀX + αI) w = Xᵀy` on centred columns, the intercept not penalised (Hoerl and
/// Kennard 1970); without an intercept on columns as they are. Columns should be of like scale, as
/// preprocessing makes them.
#[derive(Debug, Clone, Copy)]
pub struct RidgeBaseline {
    /// The penalty α, finite and above 0. Default 1.
    pub alpha: f64,
    /// Whether a constant is fitted beside the coefficients. Default true.
    pub intercept: bool,
}

/// What was fitted.
#[derive(Debug)]
struct Line {
    coefficients: DVector<f64>,
    intercept: f64,
}

impl Default for RidgeBaseline {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            intercept: true,
        }
    }
}

impl NumberBaseline for RidgeBaseline {
    fn name(&self) -> &'static str {
        "ridge"
    }

    fn fit(
        &self,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Box<dyn FittedNumbers>, Error> {
        let none = || ForgeError::shape("ridge target", "0 rows", "at least 1");
        let line = self.lines(train, &[target], weights, stop)?.pop();
        Ok(Box::new(line.ok_or_else(none)?))
    }

    /// One matrix and its factors serve all targets.
    fn fit_each(
        &self,
        train: &DenseColumns,
        targets: &[Vec<f64>],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Vec<Box<dyn FittedNumbers>>, Error> {
        let lines = self.lines(train, targets, weights, stop)?.into_iter();
        let boxed = lines.map(|line| Box::new(line) as Box<dyn FittedNumbers>);
        Ok(boxed.collect())
    }
}

impl RidgeBaseline {
    /// A line for each target.
    fn lines<T: AsRef<[f64]>>(
        &self,
        train: &DenseColumns,
        targets: &[T],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Vec<Line>, Error> {
        forge_nn::check::positive("alpha", self.alpha)?;
        let n = targets.first().map_or(0, |target| target.as_ref().len());
        if n == 0 {
            return Err(ForgeError::shape("ridge target", "0 rows", "at least 1").into());
        }
        let (x, columns) = (view(train), train.n_columns());
        // Centring by algebra: XᵀWX − Σw m mᵀ needs no second copy of a large matrix.
        let w = DVector::from_fn(n, |row, _| weights.map_or(1.0, |w| w[row]));
        let total = w.sum();
        let means = match self.intercept {
            true => x.tr_mul(&w) / total,
            false => DVector::zeros(columns),
        };
        let gram = match weights {
            None => x.tr_mul(&x),
            Some(_) => x.tr_mul(&DMatrix::from_fn(n, columns, |i, j| w[i] * x[(i, j)])),
        };
        let penalty = DMatrix::from_diagonal_element(columns, columns, self.alpha);
        let factors = Cholesky::new(gram - &means * means.transpose() * total + penalty)
            .ok_or_else(|| ForgeError::training("ridge: the features are not finite"))?;
        let line = |target: &T| {
            if stop.load(Ordering::Relaxed) {
                return Err(stopped("ridge"));
            }
            let target = target.as_ref();
            let mean = match self.intercept {
                true => target.iter().zip(&w).map(|(y, w)| w * y).sum::<f64>() / total,
                false => 0.0,
            };
            let y = DVector::from_iterator(n, target.iter().zip(&w).map(|(y, w)| w * (y - mean)));
            let coefficients = factors.solve(&x.tr_mul(&y));
            let intercept = mean - means.dot(&coefficients);
            Ok(Line {
                coefficients,
                intercept,
            })
        };
        targets.iter().map(line).collect()
    }
}

impl FittedNumbers for Line {
    fn predict(&self, rows: &DenseColumns) -> Vec<f64> {
        let values = view(rows) * &self.coefficients;
        values.iter().map(|v| v + self.intercept).collect()
    }
}

/// As nalgebra sees it, without a copy.
pub(super) fn view(data: &DenseColumns) -> DMatrixView<'_, f64> {
    DMatrixView::from_slice(data.values(), data.n_rows(), data.n_columns())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    #[test]
    fn recovers_a_line_and_ignores_a_constant_column() {
        let rows: Vec<f32> = (0..50_u8).flat_map(|v| [f32::from(v), 7.0]).collect();
        let y: Vec<f64> = (0..50).map(|v| 3.0 - 0.5 * f64::from(v)).collect();
        let train = DenseColumns::from_row_major(&rows, 2);
        let test = DenseColumns::from_row_major(&[100.0, 7.0], 2);
        let ridge = RidgeBaseline {
            alpha: 1e-9,
            intercept: true,
        };
        let predicted = ridge.fit_predict(&train, &y, None, &test, &NEVER).unwrap();
        assert!((predicted[0] + 47.0).abs() < 1e-6, "{predicted:?}");
    }

    /// `w = Σxy / Σx²` where there is no penalty to speak of.
    #[test]
    fn without_an_intercept_nothing_comes_of_nothing() {
        let train = DenseColumns::from_row_major(&[1.0, 2.0, 3.0], 1);
        let test = DenseColumns::from_row_major(&[0.0, 1.0], 1);
        let ridge = RidgeBaseline {
            alpha: 1e-12,
            intercept: false,
        };
        let y = [5.0, 5.0, 8.0];
        let predicted = ridge.fit_predict(&train, &y, None, &test, &NEVER).unwrap();
        assert_eq!(predicted[0], 0.0);
        assert!((predicted[1] - 39.0 / 14.0).abs() < 1e-9, "{predicted:?}");
    }

    #[test]
    fn a_row_of_weight_two_counts_as_two_rows() {
        let rows = |n: &[f32]| DenseColumns::from_row_major(n, 1);
        let (twice, y) = (rows(&[1.0, 2.0, 2.0, 4.0]), [1.0, 3.0, 3.0, 2.0]);
        let (once, z) = (rows(&[1.0, 2.0, 4.0]), [1.0, 3.0, 2.0]);
        let ridge = RidgeBaseline::default();
        let a = ridge.fit_predict(&twice, &y, None, &once, &NEVER).unwrap();
        let weights = Some([1.0, 2.0, 1.0].as_slice());
        let b = ridge
            .fit_predict(&once, &z, weights, &once, &NEVER)
            .unwrap();
        assert!(
            a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12),
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn several_targets_are_fitted_as_each_by_itself() {
        let rows: Vec<f32> = (0..60_u16).map(|v| f32::from(v * 7 % 13)).collect();
        let train = DenseColumns::from_row_major(&rows, 3);
        let targets: Vec<Vec<f64>> = (1..4)
            .map(|k| (0..20).map(|row| f64::from(row * row % (k + 5))).collect())
            .collect();
        let weights: Vec<f64> = (0..20).map(|row| f64::from(row % 3)).collect();
        let ridge = RidgeBaseline::default();
        for weights in [None, Some(weights.as_slice())] {
            let together = ridge.fit_each(&train, &targets, weights, &NEVER).unwrap();
            for (target, line) in targets.iter().zip(together) {
                let alone = ridge.fit(&train, target, weights, &NEVER).unwrap();
                assert_eq!(line.predict(&train), alone.predict(&train));
            }
        }
    }

    #[test]
    fn refuses_a_penalty_of_zero() {
        let error = RidgeBaseline {
            alpha: 0.0,
            intercept: true,
        }
        .fit_predict(
            &DenseColumns::default(),
            &[1.0],
            None,
            &DenseColumns::default(),
            &NEVER,
        )
        .unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains("alpha = 0"),
            "{error}"
        );
    }
}
