//! The smiles of a table that is an option chain.

use std::collections::BTreeMap;

use forge_data::{Column, ColumnValues};

use crate::experiment::ExperimentData;
use crate::report::{Figure, Plot, Section};
use crate::{Error, FittedModel};

/// Most smiles a report shows.
const SMILES: usize = 9;
/// Fewest hold-out quotes that make a smile.
const QUOTES: usize = 4;

/// Hold-out quotes of some expiries and the model's volatilities over all strikes of each; none for
/// a table without the columns of a chain (`log_moneyness`, `time_to_maturity`), or a model of
/// anything but one number. For [`RunOptions::sections`](crate::experiment::RunOptions::sections).
///
/// # Errors
/// What makes predictions impossible.
pub fn smiles(fitted: &FittedModel, data: &ExperimentData) -> Result<Option<Section>, Error> {
    let [target] = fitted.target_names()[..] else {
        return Ok(None);
    };
    let column = |name: &str| data.table.column(name).ok().and_then(numbers);
    let (Some(k), Some(t), Some(y)) = (
        column("log_moneyness"),
        column("time_to_maturity"),
        column(target),
    ) else {
        return Ok(None);
    };
    if fitted.classes().is_some() {
        return Ok(None);
    }
    let days = data.table.column("date").ok();
    let key = |row: usize| (days.map_or(0, |d| day(d, row)), t[row].to_bits());
    let mut groups: BTreeMap<_, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for row in 0..data.table.n_rows() {
        groups.entry(key(row)).or_default().0.push(row);
    }
    for row in &data.split.test {
        groups.entry(key(*row)).or_default().1.push(*row);
    }
    groups.retain(|_, (_, held_out)| held_out.len() >= QUOTES);
    let step = groups.len().div_ceil(SMILES).max(1);
    let mut figures = Vec::new();
    for (mut rows, held_out) in groups.into_values().step_by(step) {
        rows.sort_by(|a, b| k[*a].total_cmp(&k[*b]));
        let (predicted, _) = fitted.predictions_with_report(&data.table, Some(&rows))?;
        let title = format!(
            "{:.3} years, {} hold-out quotes",
            t[rows[0]],
            held_out.len()
        );
        let quotes = held_out.iter().map(|row| (k[*row], y[*row]));
        let model = rows.iter().map(|row| k[*row]).zip(predicted.point());
        let plot = Plot::new(title, "log-moneyness", target)
            .points("quotes", quotes.collect())
            .line("model", model.collect());
        figures.push(Figure::Plot(plot));
    }
    Ok((!figures.is_empty()).then(|| Section {
        title: "Smiles".into(),
        notes: vec!["Points: hold-out quotes. Lines: the best model.".into()],
        figures,
    }))
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
