//! From the sums of trees to what is expected, and how the loss bends there.

/// Which loss is boosted: half the squared error or log loss, each in the score that it is natural in,
/// so that its gradient there is what is expected less what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Numbers: the score is what is expected.
    Identity,
    /// Two classes: one score, the log odds of class 1.
    Logistic,
    /// Three or more classes: one score each.
    Softmax,
}

impl Link {
    /// What is expected at `scores`, `[K][N]` both.
    pub(super) fn expected(self, scores: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut expected = scores.to_vec();
        match self {
            Self::Identity => {}
            Self::Logistic => {
                for value in expected.iter_mut().flatten() {
                    *value = 1.0 / (1.0 + (-*value).exp());
                }
            }
            Self::Softmax => {
                for row in 0..expected.first().map_or(0, Vec::len) {
                    let largest = scores.iter().fold(f64::NEG_INFINITY, |m, s| m.max(s[row]));
                    let mut sum = 0.0;
                    for output in &mut expected {
                        output[row] = (output[row] - largest).exp();
                        sum += output[row];
                    }
                    expected.iter_mut().for_each(|output| output[row] /= sum);
                }
            }
        }
        expected
    }

    /// The loss's second derivative where `expected` is, of `outputs` scores. Softmax's has the factor
    /// K/(K−1) of Friedman (2001, equation 36): the scores of one row are not free of each other.
    pub(super) fn curvature(self, expected: f64, outputs: usize) -> f64 {
        let variance = expected * (1.0 - expected);
        match self {
            Self::Identity => 1.0,
            Self::Logistic => variance,
            Self::Softmax => variance * outputs as f64 / (outputs as f64 - 1.0),
        }
    }

    /// The score at which `mean` is expected of every row. A class that no row has, or that all
    /// have, is taken for one in a thousand million.
    pub(super) fn score_of(self, mean: f64) -> f64 {
        let share = mean.clamp(1e-9, 1.0 - 1e-9);
        match self {
            Self::Identity => mean,
            Self::Logistic => (share / (1.0 - share)).ln(),
            Self::Softmax => share.ln(),
        }
    }
}
