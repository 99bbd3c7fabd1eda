//! Logistic regression.

use std::sync::atomic::AtomicBool;

use forge_nn::{ForgeError, check};
use nalgebra::{DMatrix, DVector};

use super::ridge::view;
use super::{ClassBaseline, DenseColumns, lbfgs, stopped};
use crate::Error;

/// Gradients smaller than this, per row, are taken for zero.
const TOLERANCE: f64 = 1e-7;
/// Most steps.
const STEPS: usize = 500;

/// Logistic regression with an L2 penalty, the intercepts not penalised: minimises
/// `C Σ w ln(1/p(label)) + ½‖W‖²`, as scikit-learn's `LogisticRegression(C=…)`. Two classes have one
/// vector of coefficients, more have one each (multinomial). Columns should be of like scale, as
/// preprocessing makes them.
#[derive(Debug, Clone, Copy)]
pub struct LogisticBaseline {
    /// The weight of the data against the penalty, finite and above 0. Default 1.
    pub c: f64,
}

impl Default for LogisticBaseline {
    fn default() -> Self {
        Self { c: 1.0 }
    }
}

impl ClassBaseline for LogisticBaseline {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn fit_predict(
        &self,
        train: &DenseColumns,
        labels: &[usize],
        n_classes: usize,
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        check::positive("c", self.c)?;
        check::in_range("n_classes", n_classes, 2..)?;
        let weights = DVector::from_fn(labels.len(), |row, _| weights.map_or(1.0, |w| w[row]));
        let total = weights.sum();
        if labels.is_empty() || total <= 0.0 {
            let found = format!("{} rows of total weight {total}", labels.len());
            return Err(ForgeError::shape("logistic target", found, "at least 1").into());
        }
        let features = train.n_columns();
        // Of two classes, class 0 has the logit 0.
        let fitted = if n_classes == 2 { 1 } else { n_classes };
        let penalty = 1.0 / (self.c * total);
        let x = view(train);
        let solution = lbfgs::minimize(
            DVector::zeros((features + 1) * fitted),
            TOLERANCE,
            STEPS,
            stop,
            |parameters| {
                let (w, b) = split(parameters, features, fitted);
                let mut y = x * &w;
                let mut loss = 0.0;
                for (row, label) in labels.iter().enumerate() {
                    let p = probabilities(y.row(row).iter().zip(&b).map(|(y, b)| y + b), n_classes);
                    let share = weights[row] / total;
                    loss -= share * p[*label].max(f64::MIN_POSITIVE).ln();
                    for j in 0..fitted {
                        let class = n_classes - fitted + j;
                        let truth = if *label == class { 1.0 } else { 0.0 };
                        y[(row, j)] = share * (p[class] - truth);
                    }
                }
                let gradient_w = x.tr_mul(&y) + &w * penalty;
                let gradient_b = y.row_sum();
                let gradient = gradient_w.iter().chain(gradient_b.iter()).copied();
                (
                    loss + 0.5 * penalty * w.norm_squared(),
                    DVector::from_iterator(parameters.len(), gradient),
                )
            },
        )
        .ok_or_else(|| stopped("logistic"))?;
        let (w, b) = split(&solution, features, fitted);
        let y = view(test) * w;
        if y.iter().chain(&b).any(|v| !v.is_finite()) {
            return Err(ForgeError::training("logistic: the features are not finite").into());
        }
        let row =
            |row: usize| probabilities(y.row(row).iter().zip(&b).map(|(y, b)| y + b), n_classes);
        Ok((0..test.n_rows()).flat_map(row).collect())
    }
}

/// Coefficients `[F x K]` and intercepts `[K]`.
fn split(parameters: &DVector<f64>, features: usize, fitted: usize) -> (DMatrix<f64>, Vec<f64>) {
    let (w, b) = parameters.as_slice().split_at(features * fitted);
    (DMatrix::from_column_slice(features, fitted, w), b.to_vec())
}

/// Softmax of the logits; where there is one less than classes, the first class has 0.
fn probabilities(logits: impl Iterator<Item = f64>, n_classes: usize) -> Vec<f64> {
    let mut p = Vec::with_capacity(n_classes);
    if n_classes == 2 {
        p.push(0.0);
    }
    p.extend(logits);
    let largest = p.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
    for value in &mut p {
        *value = (*value - largest).exp();
    }
    let sum: f64 = p.iter().sum();
    p.iter_mut().for_each(|value| *value /= sum);
    p
}
