//! How far several predictions of the same rows lie apart.

use forge_nn::ForgeError;

use super::{ClassDoubt, Predictions};

/// Predictions made in several ways as one, and how far they lie apart.
#[derive(Debug, Clone, PartialEq)]
pub struct SpreadPredictions {
    /// Their [average](Predictions::average).
    pub mean: Predictions,
    /// Standard deviation (of the population) over the ways: of each number, median or mean
    /// `[N x S]`, in the target's units; of each class's probability `[N x C]`.
    pub spread: Vec<f64>,
    /// How many ways there were.
    pub passes: usize,
    /// Of probabilities of classes: the doubt about the class of each row in its two parts.
    pub doubt: Option<ClassDoubt>,
}

impl SpreadPredictions {
    /// From what each way says of the same rows.
    ///
    /// # Errors
    /// As [`Predictions::average`].
    pub fn of(members: &[Predictions]) -> Result<Self, ForgeError> {
        let mean = Predictions::average(members)?;
        let n = members.len() as f64;
        let each: Vec<Vec<f64>> = members.iter().map(compared).collect();
        let at = |i: usize| {
            // Around their own mean, so that nothing cancels.
            let center = each.iter().map(|m| m[i] / n).sum::<f64>();
            let squares = each.iter().map(|m| (m[i] - center).powi(2) / n);
            squares.sum::<f64>().sqrt()
        };
        let width = each.first().map_or(0, Vec::len);
        let doubt = match &mean {
            Predictions::Probabilities {
                n_classes, values, ..
            } => Some(ClassDoubt::of(&each, values, *n_classes)),
            _ => None,
        };
        Ok(Self {
            doubt,
            mean,
            spread: (0..width).map(at).collect(),
            passes: members.len(),
        })
    }

    /// [`spread`](Self::spread) of one target column or class.
    #[must_use]
    pub fn spread_of(&self, slot: usize) -> Vec<f64> {
        let width = match &self.mean {
            Predictions::Probabilities { n_classes, .. } => *n_classes,
            other => other.slots(),
        };
        let values = self.spread.iter().skip(slot);
        values.step_by(width.max(1)).copied().collect()
    }
}

/// What is compared between ways.
fn compared(predictions: &Predictions) -> Vec<f64> {
    match predictions.probabilities() {
        Some(p) => p.to_vec(),
        None => predictions.point(),
    }
}
