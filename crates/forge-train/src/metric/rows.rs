//! What the metrics check of their rows, and how they weight them.

use forge_nn::ForgeError;

/// Row weights, or 1 for each.
#[derive(Clone, Copy)]
pub(super) struct RowWeights<'a> {
    weights: Option<&'a [f64]>,
    rows: usize,
}

impl<'a> RowWeights<'a> {
    /// For `rows` rows of metric `what`.
    ///
    /// # Errors
    /// A shape error if there are no rows or another number of weights; a training error for a
    /// weight that is negative or not finite, or for weights that are all 0.
    pub(super) fn new(
        what: &str,
        rows: usize,
        weights: Option<&'a [f64]>,
    ) -> Result<Self, ForgeError> {
        if rows == 0 {
            return Err(ForgeError::shape(what, "0 rows", "at least 1"));
        }
        if let Some(weights) = weights {
            same_length(&format!("{what}: weights"), weights.len(), rows)?;
            if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                return Err(ForgeError::training(format!(
                    "{what}: the weight of row {row} is {}; it must be finite and at least 0",
                    weights[row]
                )));
            }
            if weights.iter().all(|w| *w == 0.0) {
                return Err(ForgeError::training(format!(
                    "{what}: every weight is 0; at least one row must count"
                )));
            }
        }
        Ok(Self { weights, rows })
    }

    /// The weight of a row.
    pub(super) fn at(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[row])
    }

    /// Their sum.
    pub(super) fn total(&self) -> f64 {
        (0..self.rows).map(|row| self.at(row)).sum()
    }

    /// The weighted mean of one value per row.
    pub(super) fn mean(&self, value: impl Fn(usize) -> f64) -> f64 {
        let total = self.total();
        (0..self.rows)
            .map(|row| value(row) * (self.at(row) / total))
            .sum()
    }
}

/// `found` is the target's number of rows.
pub(super) fn same_length(what: &str, found: usize, rows: usize) -> Result<(), ForgeError> {
    if found == rows {
        Ok(())
    } else {
        let expected = format!("the target's {rows}");
        Err(ForgeError::shape(what, format!("{found} rows"), expected))
    }
}

/// Every value is a finite number.
pub(super) fn all_finite(what: &str, values: &[f64]) -> Result<(), ForgeError> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(ForgeError::training(format!(
            "{what}: row {row} is {}; it must be finite",
            values[row]
        ))),
    }
}

/// Probabilities `[N x C]` (row-major) of the classes of `labels`: as many rows, each in `[0, 1]`
/// and summing to 1 within 1e-6; labels below `C`.
pub(crate) fn check_probabilities(
    what: &str,
    probabilities: &[f64],
    n_classes: usize,
    labels: &[usize],
) -> Result<(), ForgeError> {
    if n_classes < 2 {
        return Err(ForgeError::config("n_classes", n_classes, "at least 2"));
    }
    if probabilities.len() != labels.len() * n_classes {
        return Err(ForgeError::shape(
            format!("{what}: probabilities"),
            format!("{} values", probabilities.len()),
            format!("{} rows of {n_classes} classes", labels.len()),
        ));
    }
    check_labels(what, labels, n_classes)?;
    for (row, p) in probabilities.chunks_exact(n_classes).enumerate() {
        let sum: f64 = p.iter().sum();
        if p.iter().any(|p| !(0.0..=1.0).contains(p)) || (sum - 1.0).abs() > 1e-6 {
            return Err(ForgeError::training(format!(
                "{what}: row {row} has probabilities {p:?}; they must lie in 0..=1 and sum to 1"
            )));
        }
    }
    Ok(())
}

/// Labels are class numbers below `n_classes`.
pub(super) fn check_labels(
    what: &str,
    labels: &[usize],
    n_classes: usize,
) -> Result<(), ForgeError> {
    match labels.iter().position(|label| *label >= n_classes) {
        None => Ok(()),
        Some(row) => Err(ForgeError::training(format!(
            "{what}: row {row} is of class {}; with {n_classes} classes they are 0..{n_classes}",
            labels[row]
        ))),
    }
}
