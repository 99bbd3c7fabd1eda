//! What a classifier that is unsure of its weights says of some rows.

use forge_nn::{ForgeError, check};
use forge_train::objective::ClassDoubt;

/// Probabilities of classes for `N` rows, with the two parts of the doubt apart.
///
/// Of `M` draws (passes, members, draws of weights) the mean of what they say, and how they differ as
/// [`ClassDoubt`].
///
/// ```
/// use forge_meta::bayesian::ClassPredictive;
///
/// // The first row is a coin; of the second, each draw is sure of another class.
/// let said = ClassPredictive::of_draws(vec![vec![0.5, 0.5, 1.0, 0.0], vec![0.5, 0.5, 0.0, 1.0]], 2)?;
/// assert_eq!(said.probabilities(), [0.5; 4]);
/// let bit = 2.0_f64.ln();
/// assert_eq!((&said.doubt().aleatoric[..], &said.doubt().epistemic[..]), (&[bit, 0.0][..], &[0.0, bit][..]));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassPredictive {
    classes: usize,
    probabilities: Vec<f64>,
    doubt: ClassDoubt,
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
        for draw in &draws {
            for (mean, p) in probabilities.iter_mut().zip(draw) {
                *mean += p / m;
            }
        }
        Ok(Self {
            doubt: ClassDoubt::of(&draws, &probabilities, classes),
            classes,
            probabilities,
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

    /// The doubt about each row's class, in nats: total, aleatoric, epistemic.
    #[must_use]
    pub fn doubt(&self) -> &ClassDoubt {
        &self.doubt
    }
}
