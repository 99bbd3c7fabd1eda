//! Whether probabilities mean what they say.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::rows::{RowWeights, same_length};

/// Rows whose probabilities lie close together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// The mean probability that was predicted.
    pub predicted: f64,
    /// The share of rows that were positive.
    pub observed: f64,
    /// Sum of the rows' weights (their number, where none are given).
    pub weight: f64,
}

/// How often what was predicted with some probability came true.
///
/// scikit-learn's `calibration_curve` with `strategy="uniform"`: `[0, 1]` is cut into bins of equal
/// width; a probability on an edge belongs to the lower bin; bins without rows are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityCurve {
    /// The bins that have rows, by rising probability.
    pub bins: Vec<ReliabilityBin>,
}

impl ReliabilityCurve {
    /// The curve of `probabilities` of being positive. For several classes take the largest
    /// probability of each row, and whether that class was right.
    ///
    /// # Errors
    /// A shape error if the numbers of rows differ or are 0; a config error for no bins; a training
    /// error naming the first row whose probability is not in `[0, 1]` or whose weight is unusable.
    pub fn compute(
        probabilities: &[f64],
        positive: &[bool],
        n_bins: usize,
        weights: Option<&[f64]>,
    ) -> Result<Self, ForgeError> {
        let what = "reliability curve";
        check::at_least_one("n_bins", n_bins)?;
        same_length(what, probabilities.len(), positive.len())?;
        let weights = RowWeights::new(what, positive.len(), weights)?;
        // Predicted, observed, weight.
        let mut sums = vec![[0.0; 3]; n_bins];
        for (row, (p, positive)) in probabilities.iter().zip(positive).enumerate() {
            if !(0.0..=1.0).contains(p) {
                return Err(ForgeError::training(format!(
                    "{what}: row {row} has probability {p}; it must lie in 0..=1"
                )));
            }
            let w = weights.at(row);
            let bin = &mut sums[bin_of(*p, n_bins)];
            bin[0] += w * p;
            bin[1] += if *positive { w } else { 0.0 };
            bin[2] += w;
        }
        let filled = sums.iter().filter(|[_, _, weight]| *weight > 0.0);
        let bins = filled.map(|[predicted, observed, weight]| ReliabilityBin {
            predicted: predicted / weight,
            observed: observed / weight,
            weight: *weight,
        });
        Ok(Self {
            bins: bins.collect(),
        })
    }

    /// The expected calibration error (Naeini et al. 2015): the mean over rows of how far observed
    /// and predicted lie apart in their bin. In `[0, 1]`, less is better; it depends on the bins.
    #[must_use]
    pub fn expected_calibration_error(&self) -> f64 {
        let total: f64 = self.bins.iter().map(|bin| bin.weight).sum();
        let gaps = self.bins.iter();
        gaps.map(|bin| bin.weight / total * (bin.observed - bin.predicted).abs())
            .sum()
    }
}

/// The bin whose lower edge is below `p` and whose upper is not.
fn bin_of(p: f64, n_bins: usize) -> usize {
    let edge = |bin: usize| bin as f64 / n_bins as f64;
    let mut bin = ((p * n_bins as f64) as usize).min(n_bins - 1);
    // The product above may round to either side of an edge.
    while bin > 0 && p <= edge(bin) {
        bin -= 1;
    }
    while bin + 1 < n_bins && p > edge(bin + 1) {
        bin += 1;
    }
    bin
}
