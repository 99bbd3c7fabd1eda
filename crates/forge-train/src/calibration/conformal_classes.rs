//! Sets of classes.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::conformal_rank::bound;
use crate::metric::check_probabilities;

/// How little a class fits what a model says of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassScore {
    /// `1 - p(class)`: the smallest sets on average. Sadinle, Lei and Wasserman 2019.
    #[default]
    LeastAmbiguous,
    /// The probability of the class and of all more probable ones together: larger sets that hold more
    /// evenly over easy and hard rows. Romano, Sesia and Candès 2020, without their random cut.
    Adaptive,
}

impl ClassScore {
    fn of(self, row: &[f64], class: usize) -> f64 {
        let own = row[class];
        match self {
            Self::LeastAmbiguous => 1.0 - own,
            // Of equally probable classes the first counts as more probable.
            Self::Adaptive => {
                let above = row.iter().enumerate();
                let above = above.filter(|(k, p)| **p > own || (**p == own && *k <= class));
                above.map(|(_, p)| p).sum()
            }
        }
    }
}

/// Sets of classes that hold the true one in at least `1 - α` of new rows, where calibration rows and
/// new ones could be exchanged for each other: all classes whose [score](ClassScore) is no more than
/// the `⌈(1 - α)(n + 1)⌉`-th smallest of the true classes' over `n` calibration rows. The most probable
/// class is always in, so that no set is empty.
///
/// ```
/// use forge_train::calibration::{ClassScore, ConformalClasses};
///
/// let said = [0.7, 0.2, 0.1, 0.5, 0.4, 0.1, 0.6, 0.3, 0.1];
/// let sets = ConformalClasses::fit(&said, 3, &[0, 1, 0], ClassScore::LeastAmbiguous, 0.25)?;
/// assert_eq!(sets.set(&[0.45, 0.45, 0.1]), [0, 1]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformalClasses {
    score: ClassScore,
    alpha: f64,
    bound: f64,
}

impl ConformalClasses {
    /// From probabilities `[N x C]` of calibration rows and their classes. `alpha` is the share of sets
    /// that may miss, in (0, 1).
    ///
    /// # Errors
    /// A config error for fewer than 2 classes, a bad `alpha` or too few rows for it; a shape or
    /// training error for rows that are no probabilities or labels that are no class.
    pub fn fit(
        probabilities: &[f64],
        n_classes: usize,
        labels: &[usize],
        score: ClassScore,
        alpha: f64,
    ) -> Result<Self, ForgeError> {
        check::in_range("n_classes", n_classes, 2..)?;
        check_probabilities("ConformalClasses", probabilities, n_classes, labels)?;
        let rows = probabilities.chunks_exact(n_classes).zip(labels);
        let scores = rows.map(|(row, label)| score.of(row, *label)).collect();
        Ok(Self {
            score,
            alpha,
            bound: bound(scores, alpha)?,
        })
    }

    /// The classes of a row with these probabilities, rising.
    #[must_use]
    pub fn set(&self, row: &[f64]) -> Vec<usize> {
        let top = (0..row.len()).reduce(|a, b| if row[b] > row[a] { b } else { a });
        let within =
            |class: &usize| Some(*class) == top || self.score.of(row, *class) <= self.bound;
        (0..row.len()).filter(within).collect()
    }

    /// The largest score within.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// The share of sets that may miss.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }
}
