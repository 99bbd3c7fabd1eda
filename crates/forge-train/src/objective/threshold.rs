//! From the probability of "yes" to a yes.

use std::str::FromStr;

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::metric::ConfusionMatrix;

/// The probability from which on a row is taken for class 1.
///
/// In a file: a number in `(0, 1)`, or the name of a [metric](ThresholdMetric) to choose it by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// This number, in `(0, 1)`. Default ½.
    Fixed(f64),
    /// The one that is best on validation rows; chosen by [`tune`](super::Objective::tune), ½ until
    /// then.
    Best(ThresholdMetric),
    /// The one that was chosen.
    Tuned(TunedThreshold),
}

/// A threshold that was chosen on validation rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedThreshold {
    /// What it was chosen by.
    pub metric: ThresholdMetric,
    /// The threshold, in `(0, 1)`.
    pub value: f64,
}

/// What a threshold is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMetric {
    /// F1 of class 1.
    F1,
    /// The mean of both classes' recalls. The same as Youden's index, which is twice this less 1
    /// and may be written `youden`.
    #[serde(alias = "youden")]
    BalancedAccuracy,
    /// The share of rows that is right.
    Accuracy,
    /// Matthews' correlation.
    Mcc,
}

impl Default for Threshold {
    fn default() -> Self {
        Self::Fixed(0.5)
    }
}

impl Threshold {
    /// Checks that it lies in `(0, 1)`.
    ///
    /// # Errors
    /// A config error naming it.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let value = self.value();
        if value > 0.0 && value < 1.0 {
            Ok(())
        } else {
            Err(ForgeError::config(
                "objective.threshold",
                value,
                "above 0 and below 1, or a metric to choose it by: f1, balanced_accuracy, accuracy, mcc",
            ))
        }
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Best(_) => 0.5,
            Self::Tuned(tuned) => tuned.value,
        }
    }

    /// Chooses it anew by the probabilities of class 1, if it is to be chosen.
    ///
    /// Thresholds half way between neighbouring probabilities are all tried; of equally good ones
    /// the one nearest to ½ is taken.
    ///
    /// # Errors
    /// A training error if the rows are of one class.
    pub(super) fn tune(&mut self, p: &[f64], labels: &[usize]) -> Result<(), ForgeError> {
        let metric = match self {
            Self::Fixed(_) => return Ok(()),
            Self::Best(metric) => *metric,
            Self::Tuned(tuned) => tuned.metric,
        };
        let positives = labels.iter().filter(|label| **label == 1).count();
        if positives == 0 || positives == labels.len() {
            return Err(ForgeError::training(
                "no threshold can be chosen on validation rows of one class; set objective.threshold \
                 to a number such as 0.5, or choose validation rows of both classes",
            ));
        }
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
        // Rows above the threshold: true positives, all.
        let (mut found, mut taken) = (0, 0);
        let mut best: Option<(f64, f64)> = None;
        for at in 0..=order.len() {
            let above = at.checked_sub(1).map(|i| p[order[i]]);
            let below = order.get(at).map(|i| p[*i]);
            if above != below {
                let value = 0.5 * (above.unwrap_or(1.0) + below.unwrap_or(0.0));
                let score = metric.score(found, taken, positives, labels.len())?;
                let better = best.is_none_or(|(s, v): (f64, f64)| {
                    score > s || (score == s && (value - 0.5).abs() < (v - 0.5).abs())
                });
                if better && value > 0.0 && value < 1.0 {
                    best = Some((score, value));
                }
            }
            if let Some(row) = order.get(at) {
                taken += 1;
                found += labels[*row];
            }
        }
        let value = best.map_or(0.5, |(_, value)| value);
        *self = Self::Tuned(TunedThreshold { metric, value });
        Ok(())
    }
}

impl ThresholdMetric {
    /// Of `rows` rows with `positives` positive ones, `taken` taken for positive, `found` rightly.
    fn score(
        self,
        found: usize,
        taken: usize,
        positives: usize,
        rows: usize,
    ) -> Result<f64, ForgeError> {
        let (fp, fn_) = (taken - found, positives - found);
        let tn = rows - positives - fp;
        let counts = [tn, fp, fn_, found].map(|n| n as f64);
        let m = ConfusionMatrix::compute(&[0, 1, 0, 1], &[0, 0, 1, 1], 2, Some(&counts))?;
        Ok(match self {
            Self::F1 => m.f1(1),
            Self::BalancedAccuracy => m.balanced_accuracy(),
            Self::Accuracy => m.accuracy(),
            Self::Mcc => m.mcc(),
        })
    }
}

impl FromStr for Threshold {
    type Err = ForgeError;

    /// Reads a number in `(0, 1)` or a metric's name.
    fn from_str(text: &str) -> Result<Self, ForgeError> {
        let threshold = match text.trim() {
            "f1" => Self::Best(ThresholdMetric::F1),
            "balanced_accuracy" | "youden" => Self::Best(ThresholdMetric::BalancedAccuracy),
            "accuracy" => Self::Best(ThresholdMetric::Accuracy),
            "mcc" => Self::Best(ThresholdMetric::Mcc),
            number => Self::Fixed(number.parse().unwrap_or(f64::NAN)),
        };
        threshold.validate().map_err(|_| {
            ForgeError::config(
                "objective.threshold",
                text,
                "above 0 and below 1, or one of f1, balanced_accuracy, youden, accuracy, mcc",
            )
        })?;
        Ok(threshold)
    }
}
