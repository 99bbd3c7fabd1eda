//! One or several numeric columns to predict.

use super::{EncodedTargets, TargetTransform};
use crate::{DataError, Table};

/// Numeric target columns, each standardised by its own training mean and deviation.
///
/// # Examples
/// ```
/// use forge_data::{NumericTargets, Table};
/// # fn main() -> Result<(), forge_data::DataError> {
/// let table = Table::from_numeric(["low", "high"], &[1.0, 10.0, 3.0, 30.0])?;
/// let targets = NumericTargets::fit(&table, &["low", "high"], &[0, 1])?;
/// let y = targets.encode(&table, None)?;
/// assert_eq!(y.values, [-1.0, -1.0, 1.0, 1.0]);
/// assert_eq!(targets.inverse(&y.values)?, [1.0, 10.0, 3.0, 30.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NumericTargets {
    /// At least one, names distinct.
    columns: Vec<TargetTransform>,
}

impl NumericTargets {
    /// Learns from the rows `train_rows` (0-based) of the columns `names`, slot by slot.
    ///
    /// # Errors
    /// - schema: a column is not in the table, is given twice or holds no numbers; or no column
    ///   is given
    /// - value: there is no training row, or a target in them is missing or infinite; row and
    ///   column are named
    /// - config: a row is not in the table
    pub fn fit<S: AsRef<str>>(
        table: &Table,
        names: &[S],
        train_rows: &[usize],
    ) -> Result<Self, DataError> {
        let fit = |name: &S| TargetTransform::fit(table, name.as_ref(), train_rows);
        Self::new(names.iter().map(fit).collect::<Result<_, _>>()?)
    }

    /// Learns from training values that are in no table: a name and `[N]` values per slot.
    ///
    /// # Errors
    /// - schema: two columns share a name or have different lengths, or there is none
    /// - value: there is no row, or a value is not finite (named by its position)
    pub fn fit_columns(columns: &[(&str, &[f64])]) -> Result<Self, DataError> {
        if let [(first, values), rest @ ..] = columns
            && let Some((name, other)) = rest.iter().find(|(_, v)| v.len() != values.len())
        {
            return Err(DataError::schema(format!(
                "has {} targets, but '{first}' has {}: every target needs one value per row",
                other.len(),
                values.len()
            ))
            .at_column(name));
        }
        let fit = |(name, values): &(&str, &[f64])| TargetTransform::fit_values(name, values);
        Self::new(columns.iter().map(fit).collect::<Result<_, _>>()?)
    }

    /// Columns already fitted, one per slot.
    ///
    /// # Errors
    /// A schema error if two share a name or there is none.
    pub fn new(columns: Vec<TargetTransform>) -> Result<Self, DataError> {
        if columns.is_empty() {
            return Err(DataError::schema(
                "no target column is given: name at least one",
            ));
        }
        for (slot, column) in columns.iter().enumerate() {
            if columns[..slot].iter().any(|c| c.name == column.name) {
                return Err(DataError::schema("is given as a target twice").at_column(&column.name));
            }
        }
        Ok(Self { columns })
    }

    /// One transform per slot.
    #[must_use]
    pub fn columns(&self) -> &[TargetTransform] {
        &self.columns
    }

    /// The targets of `rows` (0-based), or of every row.
    ///
    /// # Errors
    /// - schema: a column is not in the table or holds no numbers
    /// - value: a target is missing, infinite or, standardised, beyond f32; row and column are
    ///   named
    /// - config: a row is not in the table
    pub fn encode(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<EncodedTargets, DataError> {
        let slots = self.columns.len();
        let n = rows.map_or(table.n_rows(), <[usize]>::len);
        let mut encoded = EncodedTargets {
            values: vec![0.0; n * slots],
            original: vec![0.0; n * slots],
            slots,
        };
        for (slot, column) in self.columns.iter().enumerate() {
            let original = TargetTransform::read(table, &column.name, rows)?;
            for (i, value) in original.into_iter().enumerate() {
                let row = rows.map_or(i, |rows| rows[i]);
                encoded.values[i * slots + slot] = column.scale_one(value, row)?;
                encoded.original[i * slots + slot] = value;
            }
        }
        Ok(encoded)
    }

    /// Standardised values `[N, S]` (row-major) in the columns' own units.
    ///
    /// # Errors
    /// A schema error if the values do not fill rows of `S`.
    pub fn inverse(&self, values: &[f32]) -> Result<Vec<f64>, DataError> {
        let slots = self.columns.len();
        if !values.len().is_multiple_of(slots) {
            return Err(DataError::schema(format!(
                "{} values do not fill rows of {slots} targets",
                values.len()
            )));
        }
        let back = |(y, column): (&f32, &TargetTransform)| column.inverse_one(f64::from(*y));
        Ok(values
            .iter()
            .zip(self.columns.iter().cycle())
            .map(back)
            .collect())
    }
}
