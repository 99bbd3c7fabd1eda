//! What a classifier that is unsure of its weights says of some rows.

use forge_nn::{ForgeError, check};

/// Probabilities of classes for `N` rows, with the two parts of the doubt apart.
///
/// Of `M` draws (passes, members, draws of weights) with probabilities `pₛ` and their mean `p`, in nats:
///
/// - total: the entropy `H(p)`;
/// - aleatoric: `1/M Σ H(pₛ)`, which no data would take away;
/// - epistemic: the rest, the mutual information of label and weights, 0 where all draws agree.
///
/// Depeweg et al., arXiv 1710.07283, section 3.
///
/// ```
/// use forge_meta::bayesian::ClassPredictive;
///
/// // The first row is a coin; of the second, each draw is sure of another class.
/// let said = ClassPredictive::of_draws(vec![vec![0.5, 0.5, 1.0, 0.0], vec![0.5, 0.5, 0.0, 1.0]], 2)?;
/// assert_eq!(said.probabilities(), [0.5; 4]);
/// let bit = 2.0_f64.ln();
/// assert_eq!((said.aleatoric(), said.epistemic()), (vec![bit, 0.0], vec![0.0, bit]));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassPredictive {
    classes: usize,
    probabilities: Vec<f64>,
    aleatoric: Vec<f64>,
}

impl ClassPredictive {
    /// From the probabilities `[N x K]` of each draw, row by row.
    ///
    /// # Errors
    /// A config error for no draws or fewer than two classes; a shape error if they are not whole rows or
    /// not as long as each other; a training error for a row that is no distribution.
    pub fn of_draws(draws: Vec<Vec<f64>>, classes: usize) -> Result<Self, ForgeError> {
        check::at_least_one("draws", draws.len())?;
        check::in_range("classes", classes, 2..)?;
        let n = draws[0].len();
        for (s, draw) in draws.iter().enumerate() {
            if draw.len() != n || !n.is_multiple_of(classes) {
                let expected = format!("{n}, in rows of {classes}");
                return Err(ForgeError::shape(format!("draw {s}"), draw.len(), expected));
            }
            for (row, p) in draw.chunks_exact(classes).enumerate() {
                let sum: f64 = p.iter().sum();
                // Not `any(< 0)`: a NaN is neither.
                if !(p.iter().all(|p| *p >= 0.0) && (sum - 1.0).abs() < 1e-4) {
                    return Err(ForgeError::training(format!(
                        "draw {s}, row {row}: {p:?} are no probabilities (their sum is {sum})"
                    )));
                }
            }
        }
        let m = draws.len() as f64;
        let mut probabilities = vec![0.0; n];
        let mut aleatoric = vec![0.0; n / classes];
        for draw in &draws {
            for (mean, p) in probabilities.iter_mut().zip(draw) {
                *mean += p / m;
            }
            for (mean, p) in aleatoric.iter_mut().zip(draw.chunks_exact(classes)) {
                *mean += entropy(p) / m;
            }
        }
        Ok(Self {
            classes,
            probabilities,
            aleatoric,
        })
    }

    /// How many classes there are, `K`.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The mean of the draws' probabilities, `[N x K]`.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Entropies `[N]`, in nats: from 0 to `ln K`.
    #[must_use]
    pub fn total(&self) -> Vec<f64> {
        self.rows().map(entropy).collect()
    }

    /// The part of the entropies that is noise, `[N]`, in nats.
    #[must_use]
    pub fn aleatoric(&self) -> Vec<f64> {
        self.aleatoric.clone()
    }

    /// The part of the entropies that more data would take away, `[N]`, in nats.
    #[must_use]
    pub fn epistemic(&self) -> Vec<f64> {
        let parts = self.total().into_iter().zip(&self.aleatoric);
        // Rounding alone may bring it below 0.
        parts
            .map(|(total, noise)| (total - noise).max(0.0))
            .collect()
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.probabilities.chunks_exact(self.classes)
    }
}

fn entropy(p: &[f64]) -> f64 {
    let there = p.iter().filter(|p| **p > 0.0);
    there.map(|p| -p * p.ln()).sum()
}
