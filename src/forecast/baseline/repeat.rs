//! Forecasts that repeat what was there.

use forge_data::{TimeRange, Windows};

use super::{SeriesBaseline, last};
use crate::Error;

/// The last value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Naive;

/// The value one season before, the last one that is known.
#[derive(Debug, Clone, Copy)]
pub struct SeasonalNaive {
    /// Steps of a season, at least 1.
    pub season: usize,
}

/// The last value, and per step the mean change of the training steps.
#[derive(Debug, Clone, Default)]
pub struct Drift {
    /// Of each series and target.
    change: Vec<f64>,
}

/// `of(values, origin, step)` for every window, target and step; `values` are those of its series.
fn each(
    windows: &Windows,
    rows: &[usize],
    of: impl Fn(usize, &[f64], usize, usize) -> f64,
) -> Result<Vec<f64>, Error> {
    let table = windows.table();
    let targets = &table.schema().config.targets;
    let steps: Vec<usize> = windows.config().horizon.steps().collect();
    let mut values = Vec::with_capacity(rows.len() * steps.len() * targets.len());
    for row in rows {
        let window = windows.window(*row);
        let columns = targets.iter().map(|name| table.column(window.series, name));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for step in &steps {
            let cells = columns.iter().enumerate();
            values.extend(cells.map(|(i, column)| {
                let of_series = window.series * targets.len() + i;
                of(of_series, column, window.origin, *step)
            }));
        }
    }
    Ok(values)
}

impl SeriesBaseline for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn fit(&mut self, _: &Windows, _: &TimeRange) -> Result<(), Error> {
        Ok(())
    }

    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
        each(windows, rows, |_, values, origin, _| last(values, origin))
    }
}

impl SeriesBaseline for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal_naive"
    }

    fn fit(&mut self, _: &Windows, _: &TimeRange) -> Result<(), Error> {
        Ok(())
    }

    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
        each(windows, rows, |_, values, origin, step| {
            // The same place in the last whole season; where it was not observed, the one before.
            let back = step.div_ceil(self.season) * self.season - step;
            let mut places = (back..=origin)
                .step_by(self.season)
                .map(|back| origin - back);
            let seen = places.find(|row| !values[*row].is_nan());
            seen.map_or_else(|| last(values, origin), |row| values[row])
        })
    }
}

impl SeriesBaseline for Drift {
    fn name(&self) -> &'static str {
        "drift"
    }

    fn fit(&mut self, train: &Windows, training: &TimeRange) -> Result<(), Error> {
        let table = train.table();
        self.change.clear();
        for series in 0..table.n_series() {
            let times = table.times(series);
            for name in &table.schema().config.targets {
                let values = table.column(series, name)?.iter().zip(times).enumerate();
                let mut known = values.filter(|(_, (v, t))| !v.is_nan() && training.contains(**t));
                let first = known.next();
                let change = match (first, known.next_back()) {
                    (Some((a, (first, _))), Some((b, (last, _)))) => {
                        (last - first) / (b - a) as f64
                    }
                    _ => 0.0,
                };
                self.change.push(change);
            }
        }
        Ok(())
    }

    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
        each(windows, rows, |series, values, origin, step| {
            let change = self.change.get(series).copied().unwrap_or(0.0);
            last(values, origin) + change * step as f64
        })
    }
}
