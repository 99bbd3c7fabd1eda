//! A curvature of a loss, decomposed, under a prior whose precision may still change.

use forge_train::bisect;
use nalgebra::{DMatrix, SymmetricEigen};
use serde::{Deserialize, Serialize};

/// Which part of the curvature a Laplace approximation takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// All of it.
    #[default]
    Full,
    /// Its diagonal: linear in the width, blind to weights that make up for each other.
    Diagonal,
}

/// A symmetric matrix without negative eigenvalues, in the axes in which it is diagonal.
#[derive(Debug, Clone)]
pub(super) struct Curvature {
    values: Vec<f64>,
    /// Eigenvectors in columns; absent where the matrix is taken as diagonal.
    axes: Option<DMatrix<f64>>,
}

impl Curvature {
    /// Of a matrix that is its diagonal.
    pub(super) fn diagonal(values: Vec<f64>) -> Self {
        Self { values, axes: None }
    }

    pub(super) fn of(matrix: DMatrix<f64>, covariance: Covariance) -> Self {
        match covariance {
            Covariance::Diagonal => Self::diagonal(matrix.diagonal().iter().copied().collect()),
            Covariance::Full => {
                let eigen = SymmetricEigen::new(matrix);
                // None is negative, but for rounding.
                let values = eigen.eigenvalues.iter().map(|value| value.max(0.0));
                Self {
                    values: values.collect(),
                    axes: Some(eigen.eigenvectors),
                }
            }
        }
    }

    /// A vector in the axes.
    pub(super) fn along(&self, vector: &[f64]) -> Vec<f64> {
        match &self.axes {
            None => vector.to_vec(),
            Some(axes) => {
                let along = |axis: usize| {
                    let axis = axes.column(axis);
                    axis.iter().zip(vector).map(|(a, v)| a * v).sum()
                };
                (0..self.values.len()).map(along).collect()
            }
        }
    }

    /// `aᵀ (sH + τI)⁻¹ b`, of vectors in the axes.
    pub(super) fn inner(&self, scale: f64, prior: f64, a: &[f64], b: &[f64]) -> f64 {
        let each = self.values.iter().zip(a.iter().zip(b));
        each.map(|(h, (a, b))| a * b / (scale * h + prior)).sum()
    }

    /// `log |sH + τI| - log |τI|`.
    pub(super) fn log_ratio(&self, scale: f64, prior: f64) -> f64 {
        let each = self.values.iter();
        each.map(|h| (scale * h / prior).ln_1p()).sum()
    }

    /// How many directions the data know better than the prior, `Σ sh/(sh + τ)`.
    pub(super) fn known(&self, scale: f64, prior: f64) -> f64 {
        let each = self.values.iter().map(|h| scale * h);
        each.map(|h| h / (h + prior)).sum()
    }
}

/// The prior precision from 1e-8 to 1e8 that makes the marginal likelihood largest, for weights of this
/// squared length.
///
/// Where `known(τ) = τ wᵀw` its derivative is 0 (`MacKay` 1992); the left falls and the right rises with
/// `τ`, so there is one such point.
pub(super) fn best_prior(squared_length: f64, known: impl Fn(f64) -> f64) -> f64 {
    let rises = |prior: f64| known(prior) > prior * squared_length;
    let root = |low: f64, high: f64| (low * high).sqrt();
    bisect(1e-8, 1e8, root, rises).1
}

/// The features of a row, with a 1 for the bias.
pub(super) fn with_bias(row: &[f64]) -> Vec<f64> {
    row.iter().copied().chain([1.0]).collect()
}
