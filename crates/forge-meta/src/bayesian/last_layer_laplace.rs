//! A Gaussian around a linear head of numbers.

use forge_nn::{ForgeError, check};
use nalgebra::DMatrix;

use super::curvature::{Curvature, best_prior, with_bias};
use super::{Covariance, Posterior, Predictive};

/// The Laplace approximation of the last layer of a trained regression network: weights `w` of the head
/// are normal around the trained ones with the precision `H + τI`, `H = ΦᵀΦ/σ²` the Gauss-Newton matrix
/// (exact, the head being linear), `Φ` the features it sees with a 1 for the bias. Means stay the
/// network's; the epistemic variance of a row is `φᵀ (H + τI)⁻¹ φ`, the aleatoric one `σ²`. Daxberger et
/// al., arXiv 2106.14806.
///
/// Several outputs have a `σ²` each and one `τ`; their weights are independent of each other, since
/// nothing in the loss joins them.
///
/// `ΦᵀΦ` is decomposed once, so every `τ` after that costs a pass over its eigenvalues. The input of
/// [`Posterior::predictive`] are features `[N x D]`, row by row; its numbers are `[N x K]`, those of a
/// row beside each other.
#[derive(Debug, Clone)]
pub struct LastLayerLaplace {
    heads: Vec<Head>,
    prior: f64,
    /// Of `ΦᵀΦ`.
    curvature: Curvature,
    rows: usize,
}

/// One output.
#[derive(Debug, Clone)]
struct Head {
    /// The bias last.
    weights: Vec<f64>,
    /// `σ²`.
    noise: f64,
    /// Sum of squares.
    residuals: f64,
}

impl Head {
    fn mean(&self, phi: &[f64]) -> f64 {
        phi.iter().zip(&self.weights).map(|(p, w)| p * w).sum()
    }
}

impl LastLayerLaplace {
    /// From the training rows: features `[N x D]` and targets `[N x K]`, row by row; the head's weights
    /// `[K x (D + 1)]`, output by output with the bias last; the variance of noise `σ²` of each of the
    /// `K` outputs and the precision of the prior `τ`, all above 0.
    ///
    /// # Errors
    /// A config error for a `noise` or `prior_precision` that is not above 0, or no rows; a shape error
    /// for weights, features or targets that do not fit each other; a training error for one that is not
    /// finite.
    pub fn fit(
        features: &[f64],
        targets: &[f64],
        weights: &[f64],
        noise: &[f64],
        prior_precision: f64,
        covariance: Covariance,
    ) -> Result<Self, ForgeError> {
        let outputs = noise.len();
        check::at_least_one("outputs", outputs)?;
        for noise in noise {
            check::positive("noise", *noise)?;
        }
        check::positive("prior_precision", prior_precision)?;
        let d = width(weights.len(), outputs)?;
        let rows = check_rows(features, targets.len(), outputs, d)?;
        let numbers = features.iter().chain(targets).chain(weights);
        check_finite("LastLayerLaplace", numbers)?;
        let heads = weights.chunks_exact(d).zip(noise);
        let mut heads: Vec<Head> = heads
            .map(|(weights, noise)| Head {
                weights: weights.to_vec(),
                noise: *noise,
                residuals: 0.0,
            })
            .collect();
        let mut products = DMatrix::<f64>::zeros(d, d);
        for (row, y) in features
            .chunks_exact(d - 1)
            .zip(targets.chunks_exact(outputs))
        {
            let phi = with_bias(row);
            for (head, y) in heads.iter_mut().zip(y) {
                head.residuals += (y - head.mean(&phi)).powi(2);
            }
            for i in 0..d {
                for j in 0..d {
                    products[(i, j)] += phi[i] * phi[j];
                }
            }
        }
        Ok(Self {
            heads,
            prior: prior_precision,
            curvature: Curvature::of(products, covariance),
            rows,
        })
    }

    /// The precision of the prior, `τ`.
    #[must_use]
    pub fn prior_precision(&self) -> f64 {
        self.prior
    }

    /// The logarithm of the marginal likelihood of the training targets, for each output
    /// `log p(y | w) - ½ (log |H + τI| - log |τI| + τ wᵀw)`, summed.
    #[must_use]
    pub fn log_marginal_likelihood(&self) -> f64 {
        let each = self.heads.iter().map(|head| {
            let scale = (std::f64::consts::TAU * head.noise).ln() * self.rows as f64;
            let ratio = self.curvature.log_ratio(1.0 / head.noise, self.prior);
            scale + head.residuals / head.noise + ratio
        });
        -0.5 * (each.sum::<f64>() + self.prior * self.squared_length())
    }

    /// `wᵀw` of all outputs.
    fn squared_length(&self) -> f64 {
        let weights = self.heads.iter().flat_map(|head| &head.weights);
        weights.map(|w| w * w).sum()
    }

    /// With the prior precision from 1e-8 to 1e8 that makes the marginal likelihood largest.
    #[must_use]
    pub fn with_best_prior(mut self) -> Self {
        let known = |prior: f64| {
            let each = self.heads.iter();
            each.map(|head| self.curvature.known(1.0 / head.noise, prior))
                .sum()
        };
        self.prior = best_prior(self.squared_length(), known);
        self
    }
}

impl Posterior<[f64]> for LastLayerLaplace {
    fn predictive(&self, features: &[f64]) -> Result<Predictive, ForgeError> {
        let d = self.heads.first().map_or(1, |head| head.weights.len()) - 1;
        check_whole_rows(features, d)?;
        let (mut mean, mut noise, mut epistemic) = (vec![], vec![], vec![]);
        for row in features.chunks_exact(d) {
            let phi = with_bias(row);
            let along = self.curvature.along(&phi);
            for head in &self.heads {
                mean.push(head.mean(&phi));
                noise.push(head.noise);
                let scale = 1.0 / head.noise;
                epistemic.push(self.curvature.inner(scale, self.prior, &along, &along));
            }
        }
        Predictive::gaussian(mean, noise, epistemic)
    }
}

/// `D + 1` of a head with so many weights.
pub(super) fn width(weights: usize, outputs: usize) -> Result<usize, ForgeError> {
    let d = weights / outputs;
    if !weights.is_multiple_of(outputs) || d < 2 {
        let expected = format!("at least 2, with the bias, for each of {outputs} outputs");
        return Err(ForgeError::shape("weights", weights, expected));
    }
    Ok(d)
}

/// How many rows there are.
pub(super) fn check_rows(
    features: &[f64],
    targets: usize,
    outputs: usize,
    d: usize,
) -> Result<usize, ForgeError> {
    let rows = targets / outputs;
    check::at_least_one("rows", rows)?;
    if !targets.is_multiple_of(outputs) {
        let expected = format!("{outputs} for each row");
        return Err(ForgeError::shape("targets", targets, expected));
    }
    if features.len() != rows * (d - 1) {
        let expected = format!("{} for each of {rows} rows of targets", d - 1);
        return Err(ForgeError::shape("features", features.len(), expected));
    }
    Ok(rows)
}

pub(super) fn check_finite<'a>(
    whose: &str,
    mut numbers: impl Iterator<Item = &'a f64>,
) -> Result<(), ForgeError> {
    match numbers.find(|x| !x.is_finite()) {
        Some(bad) => Err(ForgeError::training(format!(
            "{whose}: a feature, target or weight is {bad}; leave out such rows"
        ))),
        None => Ok(()),
    }
}

pub(super) fn check_whole_rows(features: &[f64], d: usize) -> Result<(), ForgeError> {
    if features.len().is_multiple_of(d) {
        return Ok(());
    }
    let expected = format!("whole rows of {d}");
    Err(ForgeError::shape("features", features.len(), expected))
}
