//! One numeric column to predict, and the way back to its units.

use crate::preprocess::{Moments, check_rows, too_large};
use crate::{ColumnValues, DataError, Table};

/// Standardises the target with the mean and (population) standard deviation of the training
/// rows: `y' = (y − mean) / std`, and back in f64.
///
/// A target that is constant in training gets `std = 1`, so that it can be fitted (to its mean)
/// and nothing is divided by zero; [`is_constant`](Self::is_constant) tells.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetTransform {
    pub(super) name: String,
    pub(super) center: f64,
    pub(super) scale: f64,
    pub(super) constant: bool,
}

impl TargetTransform {
    /// Learns from the rows `train_rows` (0-based) of column `name`.
    ///
    /// # Errors
    /// - schema: the column is not in the table or holds no numbers
    /// - value: there is no training row, or a target in them is missing or infinite; row and
    ///   column are named
    /// - config: a row is not in the table
    pub fn fit(table: &Table, name: &str, train_rows: &[usize]) -> Result<Self, DataError> {
        let values = Self::read(table, name, Some(train_rows))?;
        Self::fit_values(name, &values)
    }

    /// Learns from finite training values.
    ///
    /// # Errors
    /// A value error if there is none, or one is not finite (named by its position).
    pub fn fit_values(name: &str, values: &[f64]) -> Result<Self, DataError> {
        if let Some(row) = values.iter().position(|v| !v.is_finite()) {
            return Err(bad_target(values[row], row, name));
        }
        let moments = Moments::of(values)
            .ok_or_else(|| DataError::value("no training rows for the target").at_column(name))?;
        Ok(Self {
            name: name.into(),
            center: moments.mean,
            scale: if moments.constant { 1.0 } else { moments.std },
            constant: moments.constant,
        })
    }

    /// A transform that changes nothing, for models that predict in the target's units.
    #[must_use]
    pub fn identity(name: &str) -> Self {
        Self {
            name: name.into(),
            center: 0.0,
            scale: 1.0,
            constant: false,
        }
    }

    /// The values of target column `name` in `rows` (0-based), or of every row, checked.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn read(table: &Table, name: &str, rows: Option<&[usize]>) -> Result<Vec<f64>, DataError> {
        let values = match &table.column(name)?.values {
            ColumnValues::Numeric(values) => values,
            ColumnValues::Categorical(_) => {
                return Err(wrong_kind("labels").at_column(name));
            }
            ColumnValues::DateTime(_) => return Err(wrong_kind("dates").at_column(name)),
        };
        let check = |row: usize| {
            let value = values[row];
            if value.is_finite() {
                Ok(value)
            } else {
                Err(bad_target(value, row, name))
            }
        };
        match rows {
            None => (0..values.len()).map(check).collect(),
            Some(rows) => {
                check_rows(rows, table)?;
                rows.iter().map(|row| check(*row)).collect()
            }
        }
    }

    /// The target's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The mean of the training rows, in the target's units.
    #[must_use]
    pub fn center(&self) -> f64 {
        self.center
    }

    /// What a unit of the model's output is in the target's units.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// All training targets were equal.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// Target values as the model learns them.
    ///
    /// # Errors
    /// A value error if a value is not finite or leaves the range of f32, naming its position.
    pub fn transform(&self, values: &[f64]) -> Result<Vec<f32>, DataError> {
        let one = |(row, value): (usize, &f64)| self.scale_one(*value, row);
        values.iter().enumerate().map(one).collect()
    }

    /// A model's output in the target's units.
    #[must_use]
    pub fn inverse(&self, predictions: &[f32]) -> Vec<f64> {
        let outputs = predictions.iter().map(|y| f64::from(*y));
        outputs.map(|y| self.inverse_one(y)).collect()
    }

    /// [`inverse`](Self::inverse) of one value, in f64 throughout.
    #[must_use]
    pub fn inverse_one(&self, y: f64) -> f64 {
        y.mul_add(self.scale, self.center)
    }

    /// `y'` of a target in table row `row` (0-based), which errors name.
    pub(super) fn scale_one(&self, value: f64, row: usize) -> Result<f32, DataError> {
        if !value.is_finite() {
            return Err(bad_target(value, row, &self.name));
        }
        let y = ((value - self.center) / self.scale) as f32;
        if y.is_finite() {
            Ok(y)
        } else {
            Err(too_large(value, row, &self.name))
        }
    }
}

fn wrong_kind(what: &str) -> DataError {
    DataError::schema(format!(
        "holds {what}; a target of regression must be numeric: read it as numbers, or learn it as classes"
    ))
}

fn bad_target(value: f64, row: usize, name: &str) -> DataError {
    let what = if value.is_nan() {
        "is missing or not a number".into()
    } else {
        format!("is {value}")
    };
    DataError::value(format!(
        "the target {what}; it must be a finite number in every row used"
    ))
    .at_index(row)
    .at_column(name)
}
