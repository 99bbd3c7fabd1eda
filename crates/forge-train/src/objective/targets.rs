//! What is to be predicted, on the host.

use forge_nn::{ForgeError, check};

/// Target values `[N x S]`, one row per example and one column per slot, in their own units; class
/// numbers `0..C` where the target is a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    slots: usize,
    values: Vec<f64>,
}

impl Targets {
    /// From values row by row.
    ///
    /// # Errors
    /// A config error for no slots; a shape error if there are no rows or the values are not whole
    /// rows; a training error naming the first row and column that is not finite.
    pub fn new(slots: usize, values: Vec<f64>) -> Result<Self, ForgeError> {
        check::at_least_one("targets", slots)?;
        if values.is_empty() || !values.len().is_multiple_of(slots) {
            return Err(ForgeError::shape(
                "target",
                format!("{} values", values.len()),
                format!("whole rows of {slots} target column(s), at least one row"),
            ));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(ForgeError::training(format!(
                "target column {}, row {}: {} is not a finite number; leave the row out or fill it",
                at % slots,
                at / slots,
                values[at]
            )));
        }
        Ok(Self { slots, values })
    }

    /// From one list per target column.
    ///
    /// # Errors
    /// As [`new`](Self::new); a shape error naming the first column of another length.
    pub fn from_columns<C: AsRef<[f64]>>(columns: &[C]) -> Result<Self, ForgeError> {
        let rows = columns.first().map_or(0, |c| c.as_ref().len());
        for (slot, column) in columns.iter().enumerate() {
            let found = column.as_ref().len();
            if found != rows {
                return Err(ForgeError::shape(
                    format!("target column {slot}"),
                    format!("{found} rows"),
                    format!("the {rows} of column 0: every target needs a value for every row"),
                ));
            }
        }
        let rows = (0..rows).flat_map(|row| columns.iter().map(move |c| c.as_ref()[row]));
        Self::new(columns.len(), rows.collect())
    }

    /// How many target columns there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// How many rows there are; at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.slots
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One column; empty if there is none of that number.
    #[must_use]
    pub fn column(&self, slot: usize) -> Vec<f64> {
        let values = self.values.iter().skip(slot);
        if slot < self.slots {
            values.step_by(self.slots).copied().collect()
        } else {
            Vec::new()
        }
    }

    /// Checks that every value is a probability, as soft labels of a yes or no are.
    ///
    /// # Errors
    /// A training error naming column and row of the first that is not in `[0, 1]`.
    pub fn check_probabilities(&self) -> Result<(), ForgeError> {
        let outside = |v: &f64| !(0.0..=1.0).contains(v);
        match self.values.iter().position(outside) {
            None => Ok(()),
            Some(at) => Err(ForgeError::training(format!(
                "target column {}, row {}: {} is no probability; it must be in [0, 1]",
                at % self.slots,
                at / self.slots,
                self.values[at]
            ))),
        }
    }

    /// The only column as class numbers.
    ///
    /// # Errors
    /// A shape error if there are several columns; a training error naming the first row that is
    /// not a whole number in `0..n_classes`.
    pub fn labels(&self, n_classes: usize) -> Result<Vec<usize>, ForgeError> {
        if self.slots != 1 {
            return Err(ForgeError::shape(
                "target",
                format!("{} columns", self.slots),
                "one column of classes; fit one classifier per target",
            ));
        }
        let label = |(row, value): (usize, &f64)| {
            if *value >= 0.0 && *value < n_classes as f64 && value.fract() == 0.0 {
                Ok(*value as usize)
            } else {
                Err(ForgeError::training(format!(
                    "target row {row} is {value}; classes are numbered 0..{n_classes}"
                )))
            }
        };
        self.values.iter().enumerate().map(label).collect()
    }
}
