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

/// Bars of one series in order.
struct Bars {
    /// What volatility is of. A bar without one keeps the last.
    price: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    volume: Vec<f64>,
}

/// What is below is nothing: a bar whose price did not move, or without a trade.
const LEAST: f64 = 1e-9;

impl Bars {
    /// All rows of `table`, with these prices.
    fn read(table: &Table, price: Vec<f64>) -> Result<Self, Error> {
        Ok(Self {
            price,
            high: numbers(table, "high")?,
            low: numbers(table, "low")?,
            volume: numbers(table, "volume")?,
        })
    }

    /// Those of one series.
    fn of(&self, rows: &[usize]) -> Self {
        let chosen = |values: &[f64]| rows.iter().map(|row| values[*row]).collect();
        let mut price: Vec<f64> = chosen(&self.price);
        for row in 1..price.len() {
            if price[row].is_nan() {
                price[row] = price[row - 1];
            }
        }
        Self {
            price,
            high: chosen(&self.high),
            low: chosen(&self.low),
            volume: chosen(&self.volume),
        }
    }

    fn squares(&self) -> Vec<f64> {
        let changes = self
            .price
            .windows(2)
            .map(|two| (two[1] / two[0]).ln().powi(2));
        std::iter::once(f64::NAN).chain(changes).collect()
    }

    /// At each bar, `ln (sqrt(mean r²) + least)` of the last `bars` log returns; the volatility of the next
    /// ones is its value so many steps ahead. NaN where there are too few, or it has no logarithm.
    fn volatility(&self, bars: usize, least: f64) -> Vec<f64> {
        let squares = self.squares();
        let at = |row: usize| {
            let start = (row + 1).checked_sub(bars)?;
            let mean = squares[start..=row].iter().sum::<f64>() / bars as f64;
            Some((mean.sqrt() + least).ln()).filter(|log| log.is_finite())
        };
        (0..squares.len())
            .map(|row| at(row).unwrap_or(f64::NAN))
            .collect()
    }

    /// Logarithms of trailing means, at each bar, of what is known when it closes: squared returns over
    /// other windows than the target's, ranges and volumes.
    fn told(&self, bars: usize) -> Vec<(String, Vec<f64>)> {
        let known = |value: f64| if value.is_nan() { 0.0 } else { value };
        let squares: Vec<f64> = self.squares().into_iter().map(known).collect();
        let ranges = self.high.iter().zip(&self.low);
        let ranges: Vec<f64> = ranges.map(|(h, l)| known((h / l).ln())).collect();
        let volume: Vec<f64> = self.volume.iter().copied().map(known).collect();
        let of = |name: &str, values: &[f64], windows: &[usize]| {
            let column = |&window: &usize| {
                let means = trailing_mean(values, window).into_iter();
                let logs = means.map(|mean| mean.max(LEAST).ln()).collect();
                (format!("{name}_{window}"), logs)
            };
            windows.iter().map(column).collect::<Vec<_>>()
        };
        let mut columns = of("squares", &squares, &[2 * bars, 4 * bars, 12 * bars]);
        columns.extend(of("range", &ranges, &[1, 3, bars, 4 * bars, 12 * bars]));
        columns.extend(of("volume", &volume, &[1, bars, 4 * bars]));
        columns
    }
}

/// The volatility of each group of rows, in a column of its own, and with `inputs` what the bars tell beside
/// it: the names of those columns.
fn with_volatility(
    mut table: Table,
    price: Vec<f64>,
    groups: &[Vec<usize>],
    (bars, least): (usize, f64),
    inputs: bool,
) -> Result<(Table, Vec<String>), Error> {
    let rows = table.n_rows();
    let all = Bars::read(&table, price)?;
    let mut columns: Vec<(String, Vec<f64>)> = vec![];
    for group in groups {
        let of_group = all.of(group);
        let mut made = vec![(LOG_VOLATILITY.to_string(), of_group.volatility(bars, least))];
        if inputs {
            made.extend(of_group.told(bars));
        }
        for (place, (name, values)) in made.into_iter().enumerate() {
            if columns.len() == place {
                columns.push((name, vec![f64::NAN; rows]));
            }
            for (row, value) in group.iter().zip(values) {
                columns[place].1[*row] = value;
            }
        }
    }
    let names = columns
        .iter()
        .skip(1)
        .map(|(name, _)| name.clone())
        .collect();
    for (name, values) in columns {
        table = table.with_column(Column::numeric(name, values))?;
    }
    Ok((table, names))
}

/// One series of bars in order; the last three tenths are the test.
pub(super) fn log_volatility(table: Table, bars: usize, inputs: bool) -> Result<Loaded, Error> {
    let rows = table.n_rows();
    let (close, all) = (numbers(&table, "close")?, vec![(0..rows).collect()]);
    let (table, past) = with_volatility(table, close, &all, (bars, 0.0), inputs)?;
    let test = SplitPart::Steps(rows - rows * 7 / 10);
    let mut loaded = of_log_volatility(table, "datetime".into(), None, bars, test);
    loaded.config.series.past = past;
    Ok(loaded)
}

/// What the listed figures add to a volatility before they take its logarithm: with it, repeating the last
/// half hour has the listed error.
const LEAST_OF_MID: f64 = 1e-6;

/// Each day of each ticker is a series of its own, so that no window reaches over a night. Volatility is
/// that of the middle between bid and ask.
pub(super) fn equity_minute(table: Table, bars: usize, inputs: bool) -> Result<Loaded, Error> {
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
    let quotes = numbers(&table, "bid")?
        .into_iter()
        .zip(numbers(&table, "ask")?);
    let mid: Vec<f64> = quotes.map(|(bid, ask)| 0.5 * (bid + ask)).collect();
    let mut sessions: std::collections::BTreeMap<&str, Vec<usize>> = Default::default();
    for (row, id) in ids.iter().enumerate() {
        sessions.entry(id).or_default().push(row);
    }
    let sessions: Vec<Vec<usize>> = sessions.into_values().collect();
    let (table, past) = with_volatility(table, mid, &sessions, (bars, LEAST_OF_MID), inputs)?;
    let table = table.with_column(Column::categorical("session", ids.iter().map(Some)))?;
    let test = SplitPart::From("2013-10-10".into());
    let mut loaded = of_log_volatility(table, ["date", "time"].into(), Some("session"), bars, test);
    loaded.config.series.past = past;
    // Series of the test are none of the training's.
    loaded.config.scaler.by = volatilityforge::data::ScaleBy::Global;
    Ok(loaded)
}
