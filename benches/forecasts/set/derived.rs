//! Columns that are not in the files.

use volatilityforge::data::{ColumnValues, SplitPart};
use volatilityforge::nn::ForgeError;
use volatilityforge::{Column, Error, Table};

use super::variance::trailing_mean;
use super::{Loaded, of_log_volatility};

pub(super) const LOG_VOLATILITY: &str = "log_volatility";

pub(crate) fn numbers(table: &Table, name: &str) -> Result<Vec<f64>, Error> {
    match &table.column(name)?.values {
        ColumnValues::Numeric(values) => Ok(values.clone()),
        _ => {
            let allowed = "numbers: the file is not the one that is meant";
            Err(ForgeError::config("data", name, allowed).into())
        }
    }
}

/// At each bar, `ln sqrt(mean r²)` of the last `bars` log returns; the volatility of the next ones
/// is its value so many steps ahead. NaN where there are too few, or no price moved.
fn trailing(prices: &[f64], bars: usize) -> Vec<f64> {
    let mut last = f64::NAN;
    let squares: Vec<f64> = prices
        .iter()
        .map(|price| {
            // A bar without a trade keeps the last price.
            let price = if price.is_nan() { last } else { *price };
            let change = (price / last).ln();
            last = price;
            change * change
        })
        .collect();
    (0..prices.len())
        .map(|row| {
            let Some(start) = (row + 1).checked_sub(bars) else {
                return f64::NAN;
            };
            let mean = squares[start..=row].iter().sum::<f64>() / bars as f64;
            let log = 0.5 * mean.ln();
            if log.is_finite() { log } else { f64::NAN }
        })
        .collect()
}

/// One series of bars in order; the last three tenths are the test. With `inputs`, models that take such
/// see [what bars tell](of_bars) too.
pub(super) fn log_volatility(table: Table, bars: usize, inputs: bool) -> Result<Loaded, Error> {
    let values = trailing(&numbers(&table, "close")?, bars);
    let rows = values.len();
    let told = match inputs {
        true => of_bars(&table, bars)?,
        false => vec![],
    };
    let names: Vec<String> = told.iter().map(|column| column.name.clone()).collect();
    let mut table = table.with_column(Column::numeric(LOG_VOLATILITY, values))?;
    for column in told {
        table = table.with_column(column)?;
    }
    let test = SplitPart::Steps(rows - rows * 7 / 10);
    let mut loaded = of_log_volatility(table, "datetime".into(), None, bars, test);
    loaded.config.series.past = names;
    Ok(loaded)
}

/// What is below is nothing: a bar whose price did not move, or without a trade.
const LEAST: f64 = 1e-9;

/// Logarithms of trailing means, at each bar, of what is known when it closes: squared returns over other
/// windows than the target's, ranges and volumes.
fn of_bars(table: &Table, bars: usize) -> Result<Vec<Column>, Error> {
    let (close, volume) = (numbers(table, "close")?, numbers(table, "volume")?);
    let (high, low) = (numbers(table, "high")?, numbers(table, "low")?);
    let change = |row: usize| match row.checked_sub(1) {
        None => 0.0,
        Some(before) => (close[row] / close[before]).ln().powi(2),
    };
    let squares: Vec<f64> = (0..close.len()).map(change).collect();
    let ranges: Vec<f64> = high.iter().zip(&low).map(|(h, l)| (h / l).ln()).collect();
    let of = |name: &str, values: &[f64], windows: &[usize]| {
        let column = |&window: &usize| {
            let means = trailing_mean(values, window).into_iter();
            let logs = means.map(|mean| mean.max(LEAST).ln()).collect();
            Column::numeric(format!("{name}_{window}"), logs)
        };
        windows.iter().map(column).collect::<Vec<_>>()
    };
    let mut columns = of("squares", &squares, &[2 * bars, 4 * bars, 12 * bars]);
    columns.extend(of("range", &ranges, &[1, 3, bars, 4 * bars, 12 * bars]));
    columns.extend(of("volume", &volume, &[1, bars, 4 * bars]));
    Ok(columns)
}

/// Each day of each ticker is a series of its own, so that no window reaches over a night.
pub(super) fn equity_minute(table: &Table, bars: usize) -> Result<Loaded, Error> {
    let (ColumnValues::DateTime(dates), ColumnValues::Categorical(tickers)) = (
        &table.column("date")?.values,
        &table.column("ticker")?.values,
    ) else {
        let allowed = "dates and tickers: the file is not the one that is meant";
        return Err(ForgeError::config("data", "equity_minute", allowed).into());
    };
    let ids: Vec<String> = (0..table.n_rows())
        .map(|row| {
            let ticker = tickers.label(row).unwrap_or_default();
            format!("{ticker} {}", dates[row] / 86_400_000)
        })
        .collect();
    let close = numbers(table, "close")?;
    let mut values = vec![f64::NAN; close.len()];
    let mut rows_of: std::collections::BTreeMap<&str, Vec<usize>> = Default::default();
    for (row, id) in ids.iter().enumerate() {
        rows_of.entry(id).or_default().push(row);
    }
    for rows in rows_of.values() {
        let prices: Vec<f64> = rows.iter().map(|row| close[*row]).collect();
        for (row, value) in rows.iter().zip(trailing(&prices, bars)) {
            values[*row] = value;
        }
    }
    let table = table
        .clone()
        .with_column(Column::numeric(LOG_VOLATILITY, values))?
        .with_column(Column::categorical("session", ids.iter().map(Some)))?;
    let test = SplitPart::From("2013-10-10".into());
    let mut loaded = of_log_volatility(table, ["date", "time"].into(), Some("session"), bars, test);
    // Series of the test are none of the training's.
    loaded.config.scaler.by = volatilityforge::data::ScaleBy::Global;
    Ok(loaded)
}
