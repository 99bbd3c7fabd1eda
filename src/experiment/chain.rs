//! The smiles of a table that is an option chain.

use std::collections::BTreeMap;

use forge_data::{Column, ColumnValues, Table};

use crate::report::Smile;
use crate::{Error, FittedRegressor};

/// Most smiles a report shows.
const SMILES: usize = 9;
/// Fewest hold-out quotes that make a smile.
const QUOTES: usize = 4;

/// Hold-out quotes of some expiries and the model's volatilities over all strikes of each; empty
/// for a table without the columns of a chain.
pub(super) fn smiles(
    fitted: &FittedRegressor,
    table: &Table,
    test: &[usize],
) -> Result<Vec<Smile>, Error> {
    let (Ok(moneyness), Ok(maturity), Ok(target)) = (
        table.column("log_moneyness"),
        table.column("time_to_maturity"),
        table.column(fitted.target()),
    ) else {
        return Ok(Vec::new());
    };
    let (Some(k), Some(t), Some(y)) = (numbers(moneyness), numbers(maturity), numbers(target))
    else {
        return Ok(Vec::new());
    };
    let days = table.column("date").ok();
    let key = |row: usize| (days.map_or(0, |d| day(d, row)), t[row].to_bits());
    let mut groups: BTreeMap<_, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for row in 0..table.n_rows() {
        groups.entry(key(row)).or_default().0.push(row);
    }
    for row in test {
        groups.entry(key(*row)).or_default().1.push(*row);
    }
    groups.retain(|_, (_, held_out)| held_out.len() >= QUOTES);
    let step = groups.len().div_ceil(SMILES).max(1);
    groups
        .into_values()
        .step_by(step)
        .map(|(mut rows, held_out)| {
            rows.sort_by(|a, b| k[*a].total_cmp(&k[*b]));
            let predicted = fitted.predict_rows(table, Some(&rows))?;
            Ok(Smile {
                title: format!(
                    "{:.3} years, {} hold-out quotes",
                    t[rows[0]],
                    held_out.len()
                ),
                quotes: held_out.iter().map(|row| (k[*row], y[*row])).collect(),
                model: rows.iter().map(|row| k[*row]).zip(predicted).collect(),
            })
        })
        .collect()
}

fn numbers(column: &Column) -> Option<&[f64]> {
    match &column.values {
        ColumnValues::Numeric(values) => Some(values),
        _ => None,
    }
}

fn day(column: &Column, row: usize) -> i64 {
    match &column.values {
        ColumnValues::DateTime(values) => values[row],
        _ => 0,
    }
}
