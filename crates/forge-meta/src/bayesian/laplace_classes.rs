//! A Gaussian around a linear head of classes.

use forge_nn::host::{log_softmax, softmax};
use forge_nn::{ForgeError, check};
use nalgebra::{Cholesky, DMatrix};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::curvature::{Curvature, best_prior, with_bias};
use super::last_layer_laplace::{check_finite, check_rows, check_whole_rows, width};
use super::{ClassPredictive, Covariance};
use crate::functional::normals;

/// The Laplace approximation of the last layer of a trained classifier: the weights of its `K` logits are
/// normal around the trained ones with the precision `H + τI`,
/// `H = Σ (diag(p) - ppᵀ) ⊗ φφᵀ` the Gauss-Newton matrix of the cross-entropy at the probabilities `p`
/// of each training row, `φ` the features the head sees with a 1 for the bias. The logits of a row are
/// then normal around the network's. Daxberger et al., arXiv 2106.14806.
///
/// The matrix has `(K (D + 1))²` elements and is decomposed once.
#[derive(Debug, Clone)]
pub struct LaplaceClasses {
    /// `[K x (D + 1)]`, the bias last.
    weights: Vec<f64>,
    classes: usize,
    prior: f64,
    curvature: Curvature,
    /// Of the training labels.
    log_likelihood: f64,
}

/// Largest `K (D + 1)` that is decomposed whole: 128 MiB.
const LARGEST: usize = 4_096;

impl LaplaceClasses {
    /// From the training rows: features `[N x D]`, row by row, the class of each, in `0..K`; the head's
    /// weights `[K x (D + 1)]`, class by class with the bias last; and the precision of the prior `τ`,
    /// above 0.
    ///
    /// # Errors
    /// A config error for fewer than two classes, a `prior_precision` that is not above 0, no rows, a
    /// label outside, or with [`Covariance::Full`] more than 4,096 weights; a shape error for weights or
    /// features that do not fit; a training error for one that is not finite.
    pub fn fit(
        features: &[f64],
        labels: &[usize],
        weights: &[f64],
        classes: usize,
        prior_precision: f64,
        covariance: Covariance,
    ) -> Result<Self, ForgeError> {
        check::in_range("classes", classes, 2..)?;
        check::positive("prior_precision", prior_precision)?;
        let d = width(weights.len(), classes)?;
        check_rows(features, labels.len(), 1, d)?;
        check_finite("LaplaceClasses", features.iter().chain(weights))?;
        if covariance == Covariance::Full && weights.len() > LARGEST {
            let allowed = format!("at most {LARGEST} with the full covariance; take the diagonal");
            return Err(ForgeError::config("weights", weights.len(), allowed));
        }
        let size = match covariance {
            Covariance::Full => weights.len(),
            // A column for the diagonal alone.
            Covariance::Diagonal => 1,
        };
        let mut matrix = DMatrix::<f64>::zeros(weights.len(), size);
        let mut log_likelihood = 0.0;
        for (row, label) in features.chunks_exact(d - 1).zip(labels) {
            check::in_range("label", *label, 0..classes)?;
            let phi = with_bias(row);
            let says = logits(weights, &phi);
            let log_p = log_softmax(&says, 1.0);
            let p: Vec<f64> = log_p.iter().map(|log_p| log_p.exp()).collect();
            log_likelihood += log_p[*label];
            for k in 0..classes {
                for i in 0..d {
                    let at = k * d + i;
                    if covariance == Covariance::Diagonal {
                        matrix[(at, 0)] += p[k] * (1.0 - p[k]) * phi[i] * phi[i];
                        continue;
                    }
                    for l in 0..classes {
                        let joint = p[k] * (f64::from(u8::from(k == l)) - p[l]) * phi[i];
                        for j in 0..d {
                            matrix[(at, l * d + j)] += joint * phi[j];
                        }
                    }
                }
            }
        }
        let curvature = match covariance {
            Covariance::Full => Curvature::of(matrix, covariance),
            Covariance::Diagonal => Curvature::diagonal(matrix.iter().copied().collect()),
        };
        Ok(Self {
            weights: weights.to_vec(),
            classes,
            prior: prior_precision,
            curvature,
            log_likelihood,
        })
    }

    /// The precision of the prior, `τ`.
    #[must_use]
    pub fn prior_precision(&self) -> f64 {
        self.prior
    }

    /// The approximate logarithm of the marginal likelihood of the training labels,
    /// `log p(y | w) - ½ (log |H + τI| - log |τI| + τ wᵀw)`.
    #[must_use]
    pub fn log_marginal_likelihood(&self) -> f64 {
        let ratio = self.curvature.log_ratio(1.0, self.prior);
        self.log_likelihood - 0.5 * (ratio + self.prior * self.squared_length())
    }

    fn squared_length(&self) -> f64 {
        self.weights.iter().map(|w| w * w).sum()
    }

    /// With the prior precision from 1e-8 to 1e8 that makes the marginal likelihood largest.
    #[must_use]
    pub fn with_best_prior(mut self) -> Self {
        let known = |prior| self.curvature.known(1.0, prior);
        self.prior = best_prior(self.squared_length(), known);
        self
    }

    /// Mean `[K]` and covariance `[K x K]` of the logits of a row.
    fn logits_of(&self, row: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        let phi = with_bias(row);
        let d = phi.len();
        let along: Vec<Vec<f64>> = (0..self.classes)
            .map(|class| {
                let mut direction = vec![0.0; self.weights.len()];
                direction[class * d..(class + 1) * d].copy_from_slice(&phi);
                self.curvature.along(&direction)
            })
            .collect();
        let joint = |k: usize, l: usize| {
            let (a, b) = (&along[k], &along[l]);
            self.curvature.inner(1.0, self.prior, a, b)
        };
        let covariance = DMatrix::from_fn(self.classes, self.classes, joint);
        (logits(&self.weights, &phi), covariance)
    }

    /// The logits of some rows: means and variances, each `[N x K]`, row by row.
    ///
    /// # Errors
    /// A shape error if `features` are not whole rows of `D`.
    pub fn logits(&self, features: &[f64]) -> Result<(Vec<f64>, Vec<f64>), ForgeError> {
        let (mut means, mut variances) = (vec![], vec![]);
        for (mean, covariance) in self.each(features)? {
            means.extend(mean);
            variances.extend(covariance.diagonal().iter());
        }
        Ok((means, variances))
    }

    /// Probabilities `[N x K]` without drawing: `softmax(m / √(1 + π v / 8))` of means and variances of
    /// the logits (`MacKay` 1992, each class by itself).
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn probit(&self, features: &[f64]) -> Result<Vec<f64>, ForgeError> {
        let (means, variances) = self.logits(features)?;
        let scaled = means.iter().zip(&variances);
        let scaled: Vec<f64> = scaled
            .map(|(m, v)| m / (1.0 + std::f64::consts::FRAC_PI_8 * v).sqrt())
            .collect();
        Ok(scaled
            .chunks_exact(self.classes)
            .flat_map(|logits| softmax(logits, 1.0))
            .collect())
    }

    /// Probabilities from `draws` draws of the logits, at least 2; the same for the same seed.
    ///
    /// # Errors
    /// As [`logits`](Self::logits); a config error for fewer draws.
    pub fn predictive(
        &self,
        features: &[f64],
        draws: usize,
        seed: u64,
    ) -> Result<ClassPredictive, ForgeError> {
        check::in_range("draws", draws, 2..)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut all = vec![vec![]; draws];
        for (mean, covariance) in self.each(features)? {
            let root = root(covariance).ok_or_else(|| {
                let what = "LaplaceClasses: a row's features are so large that the covariance of its logits is not finite";
                ForgeError::training(what)
            })?;
            for draw in &mut all {
                let z = nalgebra::DVector::from_vec(normals(self.classes, &mut random));
                let moved = &root * z;
                let logits: Vec<f64> = mean.iter().zip(moved.iter()).map(|(m, z)| m + z).collect();
                draw.extend(softmax(&logits, 1.0));
            }
        }
        ClassPredictive::of_draws(all, self.classes)
    }

    fn each(
        &self,
        features: &[f64],
    ) -> Result<impl Iterator<Item = (Vec<f64>, DMatrix<f64>)>, ForgeError> {
        let d = self.weights.len() / self.classes - 1;
        check_whole_rows(features, d)?;
        check_finite("LaplaceClasses", features.iter())?;
        Ok(features.chunks_exact(d).map(|row| self.logits_of(row)))
    }
}

/// `L` with `LLᵀ` the matrix. Rounding may leave one of low rank not positive: it is lifted by what
/// rounding is. None where it is not finite.
fn root(matrix: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let n = matrix.nrows();
    let mut lift = 1e-14 * matrix.diagonal().max();
    while lift.is_finite() {
        let lifted = &matrix + DMatrix::identity(n, n) * lift;
        if let Some(done) = Cholesky::new(lifted) {
            return Some(done.l());
        }
        lift = (lift * 10.0).max(f64::MIN_POSITIVE);
    }
    None
}

fn logits(weights: &[f64], phi: &[f64]) -> Vec<f64> {
    let each = weights.chunks_exact(phi.len());
    each.map(|w| w.iter().zip(phi).map(|(w, p)| w * p).sum())
        .collect()
}
