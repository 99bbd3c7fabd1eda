//! Which classes are taken for which.

use forge_nn::ForgeError;
use serde::Serialize;

use super::rows::{RowWeights, check_labels, same_length};

/// Rows counted by true and predicted class, and the figures that follow from it.
///
/// ```
/// use forge_train::metric::ConfusionMatrix;
///
/// let m = ConfusionMatrix::compute(&[0, 1, 1, 1], &[0, 0, 1, 1], 2, None)?;
/// assert_eq!(m.count(0, 1), 1.0);
/// assert_eq!(m.accuracy(), 0.75);
/// assert_eq!(m.balanced_accuracy(), 0.75);
/// assert_eq!(m.f1(1), 0.8);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfusionMatrix {
    /// How many classes there are.
    n_classes: usize,
    /// Sums of weights `[C x C]`, one row per true class.
    counts: Vec<f64>,
}

impl ConfusionMatrix {
    /// Counts the rows, or adds up their weights.
    ///
    /// # Errors
    /// A shape error if the numbers of rows differ or are 0; a training error naming the first row
    /// whose class is not below `n_classes`, or whose weight is unusable.
    pub fn compute(
        predicted: &[usize],
        labels: &[usize],
        n_classes: usize,
        weights: Option<&[f64]>,
    ) -> Result<Self, ForgeError> {
        let what = "confusion matrix";
        same_length(what, predicted.len(), labels.len())?;
        check_labels(what, labels, n_classes)?;
        check_labels("confusion matrix, predictions", predicted, n_classes)?;
        let weights = RowWeights::new(what, labels.len(), weights)?;
        let mut counts = vec![0.0; n_classes * n_classes];
        for (row, (p, t)) in predicted.iter().zip(labels).enumerate() {
            counts[t * n_classes + p] += weights.at(row);
        }
        Ok(Self { n_classes, counts })
    }

    /// How many classes there are.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Rows of class `truth` that were taken for `predicted`.
    ///
    /// # Panics
    /// If either is not a class.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> f64 {
        assert!(truth < self.n_classes && predicted < self.n_classes);
        self.counts[truth * self.n_classes + predicted]
    }

    /// Rows of class `truth`.
    #[must_use]
    pub fn of_class(&self, truth: usize) -> f64 {
        (0..self.n_classes).map(|p| self.count(truth, p)).sum()
    }

    /// Rows taken for `predicted`.
    #[must_use]
    pub fn taken_for(&self, predicted: usize) -> f64 {
        (0..self.n_classes).map(|t| self.count(t, predicted)).sum()
    }

    /// All rows.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The share of rows that is right.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.right() / self.total()
    }

    /// The mean over classes of the share of their rows that is right. Classes without a row are
    /// left out, as in scikit-learn's `balanced_accuracy_score`.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = (0..self.n_classes)
            .filter(|class| self.of_class(*class) > 0.0)
            .map(|class| self.recall(class))
            .collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// The share of the class's rows that is found; 0 where it has none.
    #[must_use]
    pub fn recall(&self, class: usize) -> f64 {
        ratio(self.count(class, class), self.of_class(class))
    }

    /// The share of rows taken for the class that is of it; 0 where none was.
    #[must_use]
    pub fn precision(&self, class: usize) -> f64 {
        ratio(self.count(class, class), self.taken_for(class))
    }

    /// The harmonic mean of precision and recall; 0 where the class is neither there nor predicted,
    /// as with scikit-learn's `zero_division=0`.
    #[must_use]
    pub fn f1(&self, class: usize) -> f64 {
        let both = self.of_class(class) + self.taken_for(class);
        ratio(2.0 * self.count(class, class), both)
    }

    /// Matthews' correlation of predicted and true classes (Gorodkin's `R_K` for several), in
    /// `[-1, 1]`; 0 where either is constant, as in scikit-learn's `matthews_corrcoef`.
    #[must_use]
    pub fn mcc(&self) -> f64 {
        let n = self.total();
        let share = |x: f64| x / n;
        let classes = 0..self.n_classes;
        let (mut both, mut truth, mut predicted) = (0.0, 0.0, 0.0);
        for class in classes {
            let (t, p) = (share(self.of_class(class)), share(self.taken_for(class)));
            both += t * p;
            truth += t * t;
            predicted += p * p;
        }
        ratio(
            self.accuracy() - both,
            ((1.0 - truth) * (1.0 - predicted)).max(0.0).sqrt(),
        )
    }

    fn right(&self) -> f64 {
        (0..self.n_classes).map(|c| self.count(c, c)).sum()
    }
}

/// `a / b`, 0 where `b` is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
