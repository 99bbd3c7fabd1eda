//! Rows of an option chain that are no quotes.

use forge_data::{Column, ColumnValues, Table};

use crate::experiment::ExperimentData;
use crate::report::Section;
use crate::{Error, FittedModel};

/// Columns that tell whether a row is a quote. An experiment on a chain ignores them, and should
/// [watch](crate::experiment::ExperimentConfig::watch) them.
pub const QUOTE_COLUMNS: [&str; 2] = ["bid", "bid_price"];

/// Names of columns of implied volatility.
const VOLATILITY: [&str; 4] = [
    super::TARGET,
    "iv",
    "implied_volatility",
    "impliedvolatility",
];
/// Vendors put a volatility of 1e-5 or so where none could be implied; the least volatile of what
/// is traded has a hundred times as much.
const LOWEST: f64 = 1e-3;
/// Rows named.
const NAMED: usize = 5;

/// Rows of a table that look like an option's quote and are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtfulQuotes {
    /// The column that tells.
    pub column: String,
    /// What is wrong with them.
    pub what: &'static str,
    /// The rows (0-based), rising.
    pub rows: Vec<usize>,
}

impl std::fmt::Display for DoubtfulQuotes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = self
            .rows
            .iter()
            .take(NAMED)
            .map(|row| (row + 2).to_string());
        let named: Vec<String> = named.collect();
        let dots = if self.rows.len() > NAMED { ", .." } else { "" };
        write!(
            f,
            "warning: column '{}': {} rows {} (rows {}{dots})",
            self.column,
            self.rows.len(),
            self.what,
            named.join(", ")
        )
    }
}

/// The rows of a chain that are no quotes: those without a bid, whose price is only what somebody
/// asks, and those with a volatility that no option has, put there by a vendor who could imply none.
/// Empty for a table that is no chain. Nothing is left out for it: a warning to show.
#[must_use]
pub fn doubtful_quotes(table: &Table) -> Vec<DoubtfulQuotes> {
    let named = |column: &&Column, names: &[&str]| {
        names
            .iter()
            .any(|name| column.name.eq_ignore_ascii_case(name))
    };
    let find = |names: &[&str], what, is: fn(f64) -> bool| {
        let column = table.columns().iter().find(|column| named(column, names))?;
        let rows: Vec<usize> = (0..table.n_rows())
            .filter(|row| number(column, *row).is_some_and(is))
            .collect();
        (!rows.is_empty()).then(|| DoubtfulQuotes {
            column: column.name.clone(),
            what,
            rows,
        })
    };
    if !table
        .columns()
        .iter()
        .any(|column| named(&column, &VOLATILITY))
    {
        return Vec::new();
    }
    let no_bid = find(
        &QUOTE_COLUMNS,
        "have no bid: nobody buys at that price",
        |bid| bid <= 0.0,
    );
    let no_volatility = find(
        &VOLATILITY,
        "have a volatility that no option has: it could not be implied",
        |vol| vol < LOWEST,
    );
    no_bid.into_iter().chain(no_volatility).collect()
}

/// The same as a section of a report, where there are such rows. For
/// [`RunOptions::sections`](crate::experiment::RunOptions::sections).
///
/// # Errors
/// None; the type is that of sections.
pub fn quotes_section(_: &FittedModel, data: &ExperimentData) -> Result<Option<Section>, Error> {
    let found = doubtful_quotes(&data.table);
    Ok((!found.is_empty()).then(|| Section {
        title: "Quotes to doubt".into(),
        notes: found.iter().map(ToString::to_string).collect(),
        figures: Vec::new(),
    }))
}

/// The number in a cell; of a column that was read as labels, the label's.
fn number(column: &Column, row: usize) -> Option<f64> {
    match &column.values {
        ColumnValues::Numeric(values) => Some(values[row]).filter(|v| !v.is_nan()),
        ColumnValues::Categorical(labels) => labels.label(row)?.trim().parse().ok(),
        ColumnValues::DateTime(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn chain(bid: Column) -> Table {
        Table::new(vec![
            bid,
            Column::numeric("IV", vec![0.2, 1e-5, 0.21, 0.0, f64::NAN, 0.002]),
        ])
        .unwrap()
    }

    #[test]
    fn rows_without_a_bid_or_a_volatility_are_named() {
        let numbers = Column::numeric("Bid", vec![1.0, 0.0, 0.05, f64::NAN, 0.0, 2.0]);
        let labels = ["1", "0.00", "0.05", "n/q", "0", "2"];
        let labels = Column::categorical("Bid", labels.map(Some));
        for bid in [numbers, labels] {
            let found = doubtful_quotes(&chain(bid));
            let rows: Vec<&[usize]> = found.iter().map(|f| &f.rows[..]).collect();
            assert_eq!(rows, [&[1, 4][..], &[1, 3]]);
            let text = found[0].to_string();
            for part in ["'Bid'", "2 rows", "rows 3, 6", "no bid"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[test]
    fn a_table_that_is_no_chain_has_no_quotes() {
        let table = Table::new(vec![
            Column::numeric("bid", vec![0.0; 3]),
            Column::numeric("price", vec![1.0; 3]),
        ]);
        assert!(doubtful_quotes(&table.unwrap()).is_empty());
    }
}
