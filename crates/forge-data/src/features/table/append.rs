//! A table with its features.

use crate::{Column, ColumnValues, DataError, Table};

/// How near the numbers of a column must be to a feature of its name to be taken for it, as a share of
/// the largest: files round.
const SAME: f64 = 1e-6;

/// The table with the features behind its columns. One that the table has already, with these numbers,
/// stays as it is.
pub(super) fn append(table: &Table, features: Vec<Column>) -> Result<Table, DataError> {
    let mut columns = table.columns().to_vec();
    for feature in features {
        match columns.iter().find(|column| column.name == feature.name) {
            None => columns.push(feature),
            Some(column) if same(column, &feature) => {}
            Some(column) => {
                return Err(DataError::schema(
                    "the table has a column of this name with other values than the feature; \
                     rename it, or take the features as a table of their own (apply)",
                )
                .at_column(&column.name));
            }
        }
    }
    Table::new(columns)
}

fn same(column: &Column, feature: &Column) -> bool {
    let (ColumnValues::Numeric(a), ColumnValues::Numeric(b)) = (&column.values, &feature.values)
    else {
        return false;
    };
    let largest = b.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let near = |a: f64, b: f64| (a.is_nan() && b.is_nan()) || (a - b).abs() <= SAME * largest;
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| near(a, b))
}
