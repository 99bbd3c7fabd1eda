//! Ranking: the receiver operating characteristic.

use forge_nn::ForgeError;

use super::rows::{RowWeights, all_finite, check_probabilities, same_length};

/// The share of positives found over the share of negatives taken for positive, for every
/// threshold at which it changes.
///
/// scikit-learn's `roc_curve` with `drop_intermediate=False`: rows of equal score enter together,
/// so ties are straight lines, and count one half in the area.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// Share of negatives with a score of at least the threshold, rising from 0 to 1.
    pub false_positive_rate: Vec<f64>,
    /// Share of positives with a score of at least the threshold, rising from 0 to 1.
    pub true_positive_rate: Vec<f64>,
    /// Thresholds, falling; the first is infinite: nothing is positive there.
    pub thresholds: Vec<f64>,
}

impl RocCurve {
    /// The curve of scores (probabilities or logits; only their order counts) against the truth.
    ///
    /// # Errors
    /// A shape error if the numbers of rows differ or are 0; a training error if a score is not
    /// finite, a weight is unusable, or all rows (of weight above 0) are of one class, for which
    /// the curve is undefined.
    pub fn compute(
        scores: &[f64],
        positive: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<Self, ForgeError> {
        let groups = Groups::new("auroc", scores, positive, weights)?;
        let (positives, negatives) = groups.totals();
        for (total, there, missing) in [
            (positives, "negative", "positive"),
            (negatives, "positive", "negative"),
        ] {
            if total <= 0.0 {
                return Err(ForgeError::training(format!(
                    "auroc: every row is {there}, none {missing}, so there is nothing to rank; \
                     score rows of both classes, or use log_loss or accuracy, which need not have \
                     both"
                )));
            }
        }
        let mut curve = Self {
            false_positive_rate: vec![0.0],
            true_positive_rate: vec![0.0],
            thresholds: vec![f64::INFINITY],
        };
        let (mut found, mut wrong) = (0.0, 0.0);
        for group in &groups.falling {
            found += group.positive;
            wrong += group.negative;
            curve.false_positive_rate.push(wrong / negatives);
            curve.true_positive_rate.push(found / positives);
            curve.thresholds.push(group.score);
        }
        Ok(curve)
    }

    /// The area below, by trapezoids.
    #[must_use]
    pub fn area(&self) -> f64 {
        let x = self.false_positive_rate.windows(2);
        let y = self.true_positive_rate.windows(2);
        x.zip(y)
            .map(|(x, y)| (x[1] - x[0]) * 0.5 * (y[0] + y[1]))
            .sum()
    }
}

/// The area under the [ROC curve](RocCurve): the chance that a positive row scores above a
/// negative one, ties counting one half. scikit-learn's `roc_auc_score`.
///
/// ```
/// use forge_train::metric::auroc;
///
/// // Of the four pairs one is in the wrong order.
/// let area = auroc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true], None)?;
/// assert_eq!(area, 0.75);
/// assert!(auroc(&[0.1, 0.4], &[true, true], None).is_err());
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
///
/// # Errors
/// As [`RocCurve::compute`]: it is undefined for rows of one class, not ½.
pub fn auroc(
    scores: &[f64],
    positive: &[bool],
    weights: Option<&[f64]>,
) -> Result<f64, ForgeError> {
    Ok(RocCurve::compute(scores, positive, weights)?.area())
}

/// The unweighted mean over classes of the [area](auroc) of "this class or another", for
/// probabilities `[N x C]`: scikit-learn's `roc_auc_score` with `multi_class="ovr"`,
/// `average="macro"`.
///
/// # Errors
/// As [`log_loss`](super::log_loss); a training error naming the first class without a row.
pub fn auroc_one_vs_rest(
    probabilities: &[f64],
    n_classes: usize,
    labels: &[usize],
    weights: Option<&[f64]>,
) -> Result<f64, ForgeError> {
    check_probabilities("auroc", probabilities, n_classes, labels)?;
    let mut sum = 0.0;
    for class in 0..n_classes {
        if !labels.contains(&class) {
            return Err(ForgeError::training(format!(
                "auroc: class {class} has no row, so it cannot be ranked; score rows of every \
                 class, or use log_loss or accuracy, which need not have all"
            )));
        }
        let rows = probabilities.chunks_exact(n_classes);
        let scores: Vec<f64> = rows.map(|p| p[class]).collect();
        let positive: Vec<bool> = labels.iter().map(|label| *label == class).collect();
        sum += auroc(&scores, &positive, weights)?;
    }
    Ok(sum / n_classes as f64)
}

/// Rows by falling score, those of equal score together.
pub(super) struct Groups {
    pub(super) falling: Vec<Group>,
}

/// The weights of all rows of one score.
pub(super) struct Group {
    pub(super) score: f64,
    pub(super) positive: f64,
    pub(super) negative: f64,
}

impl Groups {
    pub(super) fn new(
        what: &str,
        scores: &[f64],
        positive: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<Self, ForgeError> {
        same_length(what, scores.len(), positive.len())?;
        all_finite(what, scores)?;
        let weights = RowWeights::new(what, scores.len(), weights)?;
        // Rows of weight 0 are as good as absent: they make no point of the curve.
        let mut order: Vec<usize> = (0..scores.len())
            .filter(|row| weights.at(*row) > 0.0)
            .collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let mut falling: Vec<Group> = Vec::new();
        for row in order {
            let score = scores[row];
            let (yes, no) = if positive[row] {
                (weights.at(row), 0.0)
            } else {
                (0.0, weights.at(row))
            };
            // 0 and -0 are one score.
            match falling.last_mut().filter(|group| group.score == score) {
                Some(group) => {
                    group.positive += yes;
                    group.negative += no;
                }
                None => falling.push(Group {
                    score,
                    positive: yes,
                    negative: no,
                }),
            }
        }
        Ok(Self { falling })
    }

    /// The weights of positive and of negative rows.
    pub(super) fn totals(&self) -> (f64, f64) {
        let positive = self.falling.iter().map(|g| g.positive).sum();
        let negative = self.falling.iter().map(|g| g.negative).sum();
        (positive, negative)
    }
}
