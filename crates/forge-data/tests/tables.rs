//! Small tables for tests.

use std::collections::HashMap;

use forge_data::{Categorical, Column, ColumnValues, FeatureSelection, Table};

/// A categorical column; `None` is missing.
pub(crate) fn labels(name: &str, cells: &[Option<&str>]) -> Column {
    let mut categories: Vec<String> = Vec::new();
    let mut known: HashMap<&str, u32> = HashMap::new();
    let codes = cells
        .iter()
        .map(|cell| match cell {
            None => Categorical::MISSING,
            Some(label) => *known.entry(label).or_insert_with(|| {
                categories.push((*label).into());
                categories.len() as u32 - 1
            }),
        })
        .collect();
    Column {
        name: name.into(),
        values: ColumnValues::Categorical(Categorical { codes, categories }),
        offsets: None,
    }
}

/// A date column in milliseconds.
pub(crate) fn dates(name: &str, cells: &[i64]) -> Column {
    Column::date_time(name, cells.to_vec())
}

pub(crate) fn except(names: &[&str]) -> FeatureSelection {
    FeatureSelection::Except(names.iter().map(|n| (*n).into()).collect())
}

/// Every row index of a table.
pub(crate) fn all(table: &Table) -> Vec<usize> {
    (0..table.n_rows()).collect()
}

pub(crate) const NAN: f64 = f64::NAN;
