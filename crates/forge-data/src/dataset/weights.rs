//! What each row counts.

use crate::preprocess::check_rows;
use crate::{ColumnValues, DataError, Table};

/// The sample weights of `rows` (0-based), or of every row, from column `name`. A row of weight 0
/// counts nothing; weights need not sum to anything.
///
/// # Shapes
/// - output: `[N]`
///
/// # Errors
/// - schema: the column is not in the table or holds no numbers
/// - value: a weight is missing, negative, infinite or beyond f32 (row and column are named), or
///   all are 0
/// - config: a row is not in the table
pub fn sample_weights(
    table: &Table,
    name: &str,
    rows: Option<&[usize]>,
) -> Result<Vec<f32>, DataError> {
    let ColumnValues::Numeric(values) = &table.column(name)?.values else {
        return Err(
            DataError::schema("holds no numbers; weights must be numbers, 0 or more")
                .at_column(name),
        );
    };
    if let Some(rows) = rows {
        check_rows(rows, table)?;
    }
    let n = rows.map_or(values.len(), <[usize]>::len);
    let weight = |i: usize| {
        let row = rows.map_or(i, |rows| rows[i]);
        check(values[row]).map_err(|e| e.at_index(row).at_column(name))
    };
    let weights: Vec<f32> = (0..n).map(weight).collect::<Result<_, _>>()?;
    check_sum(&weights).map_err(|e| e.at_column(name))?;
    Ok(weights)
}

fn check(value: f64) -> Result<f32, DataError> {
    let weight = value as f32;
    if weight.is_finite() && value >= 0.0 {
        return Ok(weight);
    }
    let what = if value.is_nan() {
        "is missing".into()
    } else {
        format!("is {value}")
    };
    Err(DataError::value(format!(
        "the weight {what}; allowed are finite numbers of 0 or more: drop the row, or give it 0"
    )))
}

/// Checks weights `[N]` that come from no table.
///
/// # Errors
/// A value error naming the position of a weight that is negative or not finite, or if all are 0.
pub(super) fn check_all(weights: &[f32]) -> Result<(), DataError> {
    for (i, weight) in weights.iter().enumerate() {
        check(f64::from(*weight)).map_err(|e| e.at_index(i))?;
    }
    check_sum(weights)
}

fn check_sum(weights: &[f32]) -> Result<(), DataError> {
    if !weights.is_empty() && weights.iter().all(|w| *w == 0.0) {
        return Err(DataError::value(
            "all weights are 0: at least one row must count",
        ));
    }
    Ok(())
}
