//! A Gaussian around a linear head.

use forge_nn::{ForgeError, check};
use forge_train::bisect;
use nalgebra::{DMatrix, SymmetricEigen};
use serde::{Deserialize, Serialize};

use super::{Posterior, Predictive};

/// Which part of the Hessian a [`LastLayerLaplace`] takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// All of it.
    #[default]
    Full,
    /// Its diagonal: linear in the width, blind to weights that make up for each other.
    Diagonal,
}

/// The Laplace approximation of the last layer of a trained regression network: weights `w` of the head
/// are normal around the trained ones with the precision `H + τI`, `H = ΦᵀΦ/σ²` the Gauss-Newton matrix
/// (exact, the head being linear), `Φ` the features it sees with a 1 for the bias. Means stay the
/// network's; the epistemic variance of a row is `φᵀ (H + τI)⁻¹ φ`, the aleatoric one `σ²`. Daxberger et
/// al., arXiv 2106.14806.
///
/// `H` is decomposed once, so every `τ` after that costs a pass over its eigenvalues. The input of
/// [`Posterior::predictive`] are features `[N x D]`, row by row.
#[derive(Debug, Clone)]
pub struct LastLayerLaplace {
    weights: Vec<f64>,
    noise: f64,
    prior: f64,
    /// Of `H`.
    curvature: Vec<f64>,
    /// Eigenvectors in columns; absent where `H` is diagonal.
    axes: Option<DMatrix<f64>>,
    residuals: f64,
    rows: usize,
}

impl LastLayerLaplace {
    /// From the training rows: features `[N x D]`, targets `[N]`, the head's weights `[D + 1]` with the
    /// bias last, the variance of noise `σ²` and the precision of the prior `τ`, both above 0.
    ///
    /// # Errors
    /// A config error for a `noise` or `prior_precision` that is not above 0, or no rows; a shape error
    /// for features that are not `D` for each target; a training error for one that is not finite.
    pub fn fit(
        features: &[f64],
        targets: &[f64],
        weights: &[f64],
        noise: f64,
        prior_precision: f64,
        covariance: Covariance,
    ) -> Result<Self, ForgeError> {
        check::positive("noise", noise)?;
        check::positive("prior_precision", prior_precision)?;
        check::at_least_one("rows", targets.len())?;
        let d = weights.len();
        check::in_range("weights", d, 2..)?;
        if features.len() != targets.len() * (d - 1) {
            let expected = format!("{} for each of {} targets", d - 1, targets.len());
            return Err(ForgeError::shape("features", features.len(), expected));
        }
        let mut numbers = features.iter().chain(targets).chain(weights);
        if let Some(bad) = numbers.find(|x| !x.is_finite()) {
            return Err(ForgeError::training(format!(
                "LastLayerLaplace: a feature, target or weight is {bad}; leave out such rows"
            )));
        }
        let mut hessian = DMatrix::<f64>::zeros(d, d);
        let mut residuals = 0.0;
        for (row, y) in features.chunks_exact(d - 1).zip(targets) {
            let phi = |k: usize| row.get(k).copied().unwrap_or(1.0);
            let said: f64 = (0..d).map(|k| phi(k) * weights[k]).sum();
            residuals += (y - said).powi(2);
            for i in 0..d {
                for j in 0..d {
                    hessian[(i, j)] += phi(i) * phi(j) / noise;
                }
            }
        }
        let (curvature, axes) = match covariance {
            Covariance::Diagonal => (hessian.diagonal().iter().copied().collect(), None),
            Covariance::Full => {
                let eigen = SymmetricEigen::new(hessian);
                // Of a matrix without negative ones, but for rounding.
                let values = eigen.eigenvalues.iter().map(|value| value.max(0.0));
                (values.collect(), Some(eigen.eigenvectors))
            }
        };
        Ok(Self {
            weights: weights.to_vec(),
            noise,
            prior: prior_precision,
            curvature,
            axes,
            residuals,
            rows: targets.len(),
        })
    }

    /// The precision of the prior, `τ`.
    #[must_use]
    pub fn prior_precision(&self) -> f64 {
        self.prior
    }

    /// The logarithm of the marginal likelihood of the training targets,
    /// `log p(y | w) - ½ (log |H + τI| - log |τI| + τ wᵀw)`.
    #[must_use]
    pub fn log_marginal_likelihood(&self) -> f64 {
        let fit = (std::f64::consts::TAU * self.noise).ln() * self.rows as f64;
        let fit = -0.5 * (fit + self.residuals / self.noise);
        fit + self.evidence_of(self.prior)
    }

    fn evidence_of(&self, prior: f64) -> f64 {
        let length = self.squared_length();
        let ratio: f64 = self.curvature.iter().map(|h| (h / prior).ln_1p()).sum();
        -0.5 * (ratio + prior * length)
    }

    /// `wᵀw`.
    fn squared_length(&self) -> f64 {
        self.weights.iter().map(|w| w * w).sum()
    }

    /// With the prior precision from 1e-8 to 1e8 that makes the marginal likelihood largest.
    ///
    /// Where `Σ h/(h + τ) = τ wᵀw` its derivative is 0 (`MacKay` 1992); the left falls and the right
    /// rises with `τ`, so there is one such point.
    #[must_use]
    pub fn with_best_prior(mut self) -> Self {
        let length = self.squared_length();
        let rises = |prior: f64| {
            let known: f64 = self.curvature.iter().map(|h| h / (h + prior)).sum();
            known > prior * length
        };
        let root = |low: f64, high: f64| (low * high).sqrt();
        (_, self.prior) = bisect(1e-8, 1e8, root, rises);
        self
    }

    /// `φᵀ (H + τI)⁻¹ φ`.
    fn doubt(&self, phi: &[f64]) -> f64 {
        let along = |k: usize| match &self.axes {
            None => phi[k],
            Some(axes) => axes.column(k).iter().zip(phi).map(|(a, p)| a * p).sum(),
        };
        let each = self.curvature.iter().enumerate();
        each.map(|(k, h)| along(k).powi(2) / (h + self.prior)).sum()
    }
}

impl Posterior<[f64]> for LastLayerLaplace {
    fn predictive(&self, features: &[f64]) -> Result<Predictive, ForgeError> {
        let d = self.weights.len() - 1;
        if !features.len().is_multiple_of(d) {
            let expected = format!("whole rows of {d}");
            return Err(ForgeError::shape("features", features.len(), expected));
        }
        let rows = features.chunks_exact(d).map(|row| {
            let phi: Vec<f64> = row.iter().copied().chain([1.0]).collect();
            let mean = phi
                .iter()
                .zip(&self.weights)
                .map(|(p, w)| p * w)
                .sum::<f64>();
            (mean, self.doubt(&phi))
        });
        let (mean, epistemic): (Vec<_>, Vec<_>) = rows.unzip();
        let noise = vec![self.noise; mean.len()];
        Predictive::gaussian(mean, noise, epistemic)
    }
}
