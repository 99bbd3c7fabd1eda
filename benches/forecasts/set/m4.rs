//! Hourly series of the M4 competition.

use std::path::Path;

use volatilityforge::data::ColumnValues;
use volatilityforge::data::{SeriesConfig, SplitPart, TimeUnit};
use volatilityforge::forecast::ForecasterConfig;
use volatilityforge::nn::ForgeError;
use volatilityforge::{Column, Error, ReadOptions, Table, read_table};

use super::{Loaded, derived, hold_out};

/// Steps of the test.
const HORIZON: usize = 48;
/// An hour later than any series is long, so that all tests can begin then.
const FIRST_TEST: usize = 1_000;

/// A row per value instead of per series. Series of different lengths end together.
pub(super) fn load(train: Table, test: &Path) -> Result<Loaded, Error> {
    let (test, _) = read_table(test, &ReadOptions::default())?;
    let (mut ids, mut hours, mut values) = (vec![], vec![], vec![]);
    let columns = |table: &Table| -> Result<Vec<Vec<f64>>, Error> {
        let names = table.columns()[1..]
            .iter()
            .map(|column| column.name.clone());
        names.map(|name| derived::numbers(table, &name)).collect()
    };
    let (past, future) = (columns(&train)?, columns(&test)?);
    let (names, of_test) = (labels(&train)?, labels(&test)?);
    if names != of_test {
        let allowed = "the series of train.csv in their order";
        return Err(ForgeError::config("data", "test.csv", allowed).into());
    }
    for (row, name) in names.iter().enumerate() {
        let known: Vec<f64> = past
            .iter()
            .map(|c| c[row])
            .filter(|v| !v.is_nan())
            .collect();
        let start = FIRST_TEST - known.len();
        let all = known.into_iter().chain(future.iter().map(|c| c[row]));
        for (step, value) in all.enumerate() {
            ids.push(name.clone());
            hours.push((start + step) as f64);
            values.push(value);
        }
    }
    let table = Table::new(vec![
        Column::categorical("id", ids.iter().map(Some)),
        Column::numeric("hour", hours),
        Column::numeric("value", values),
    ])?;
    let mut series = SeriesConfig::new("hour", ["value"]).with_series("id");
    series.time_unit = Some(TimeUnit::Hours);
    Ok(Loaded {
        table,
        config: ForecasterConfig::new(series, HORIZON),
        split: hold_out(SplitPart::Steps(HORIZON), SplitPart::Steps(HORIZON)),
        inputs: None,
    })
}

fn labels(table: &Table) -> Result<Vec<String>, Error> {
    let ColumnValues::Categorical(labels) = &table.column("id")?.values else {
        return Err(ForgeError::config("data", "id", "names of series").into());
    };
    let rows = 0..table.n_rows();
    Ok(rows
        .map(|row| labels.label(row).unwrap_or_default().into())
        .collect())
}
