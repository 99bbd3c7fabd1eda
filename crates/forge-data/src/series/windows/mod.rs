//! Windows over a table of series, as places in it.

mod assemble;
mod config;
mod window_batch;

pub use config::{Horizon, ShortSeries, WindowConfig};
pub use window_batch::WindowBatch;

use std::sync::Arc;

use super::shown::{cell_error, shown, some_names};
use super::{MissingValues, SeriesScaler, SeriesTable, TimeRange};
use crate::DataError;

/// Windows over a table of series: `lookback` steps and the `horizon` after them.
///
/// Only places are held, a few numbers for each run of windows: the table is shared, never copied.
/// A window whose forecast part has no value of any target, or whose lookback has none, is not made.
///
/// ```
/// use std::sync::Arc;
/// use forge_data::{Column, SeriesConfig, SeriesTable, Table, WindowConfig, Windows};
/// let table = Table::new(vec![
///     Column::date_time("date", (0..30).map(|i| i * 86_400_000).collect()),
///     Column::numeric("close", (0..30).map(f64::from).collect()),
/// ])?;
/// let table = Arc::new(SeriesTable::from_table(&table, &SeriesConfig::new("date", ["close"]))?);
/// let windows = Windows::new(&table, &WindowConfig::new(7, 2))?;
/// assert_eq!(windows.len(), 30 - 7 - 2 + 1);
/// let batch = windows.batch(&[0, 5], &burn::tensor::Device::flex())?;
/// assert_eq!(batch.past.dims(), [2, 7, 1]);
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Windows {
    pub(super) table: Arc<SeriesTable>,
    pub(super) config: WindowConfig,
    pub(super) scaler: Option<Arc<SeriesScaler>>,
    /// Where the whole forecast part lies.
    range: TimeRange,
    runs: Vec<Run>,
    /// Number of windows before each run, and of all at the end.
    starts: Vec<usize>,
    /// Whether the forecast part lies in the future: no targets.
    pub(super) future: bool,
    purged: usize,
    left_out: Vec<String>,
}

/// Windows of one series that follow each other by the stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    series: u32,
    /// The last past row of the first window.
    origin: u32,
    count: u32,
}

/// Where a window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The number of its series in the table.
    pub series: usize,
    /// The row of its last past step, from 0 within the series.
    pub origin: usize,
    /// The time of that step, milliseconds since 1970-01-01 UTC.
    pub time: i64,
}

impl Windows {
    /// Every window whose forecast part is observed.
    ///
    /// # Errors
    /// - config: see [`WindowConfig::validate`]
    /// - value: a series is shorter than one window, unless
    ///   [`short_series`](WindowConfig::short_series) leaves it out; or there is no window
    pub fn new(table: &Arc<SeriesTable>, config: &WindowConfig) -> Result<Self, DataError> {
        config.validate()?;
        let mut windows = Self::empty(table, config, false);
        let needed = config.least() + config.horizon.last();
        for (series, rows) in table.series.iter().enumerate() {
            if rows.end < needed {
                windows.leave_out(series, needed)?;
            }
        }
        let all: Vec<usize> = (0..table.n_series()).collect();
        windows.fill(&all, &TimeRange::default());
        if windows.is_empty() {
            return Err(DataError::value(format!(
                "there is no window of {} past and {} forecast steps with a value of a target in \
                 both parts: take a shorter lookback or horizon, or more data",
                config.least(),
                config.horizon.last()
            )));
        }
        Ok(windows)
    }

    /// One window per series that ends with its last observed row, to forecast what comes next.
    /// Their batches have no target.
    ///
    /// # Errors
    /// - config: see [`WindowConfig::validate`]
    /// - value: a series is shorter than the lookback (unless it is left out), has no value of any
    ///   target, or lacks a known column in the future, named by column, series and time
    pub fn latest(table: &Arc<SeriesTable>, config: &WindowConfig) -> Result<Self, DataError> {
        config.validate()?;
        let mut windows = Self::empty(table, config, true);
        for (series, rows) in table.series.iter().enumerate() {
            if rows.end == 0 {
                return Err(table.without_target(series));
            }
            if rows.end < config.least() {
                windows.leave_out(series, config.least())?;
                continue;
            }
            windows.check_known(series)?;
            windows.push(series, rows.end - 1, 1);
        }
        if windows.is_empty() {
            return Err(DataError::value(format!(
                "no series has {} observed steps: take a shorter lookback, or set min_lookback",
                config.least()
            )));
        }
        Ok(windows)
    }

    fn empty(table: &Arc<SeriesTable>, config: &WindowConfig, future: bool) -> Self {
        Self {
            table: Arc::clone(table),
            config: config.clone(),
            scaler: None,
            range: TimeRange::default(),
            runs: Vec::new(),
            starts: vec![0],
            future,
            purged: 0,
            left_out: Vec::new(),
        }
    }

    fn leave_out(&mut self, series: usize, needed: usize) -> Result<(), DataError> {
        let id = &self.table.schema.ids[series];
        if self.config.short_series == ShortSeries::LeaveOut {
            self.left_out.push(id.clone());
            return Ok(());
        }
        let least = self.config.least();
        let ahead = needed - least;
        let parts = if ahead > 0 {
            format!("{least} of the lookback and {ahead} of the horizon")
        } else {
            format!("{least} of the lookback")
        };
        Err(DataError::value(format!(
            "series '{id}' has {} observed steps, and a window needs {parts}: take a shorter \
             lookback, set min_lookback to pad at the start, or set short_series to leave_out",
            self.table.series[series].end
        )))
    }

    /// Only the windows whose whole forecast part, up to the farthest step, lies in a range of time.
    /// A training range so keeps no window whose label reaches into what comes after it. The
    /// lookback may reach out of the range.
    ///
    /// With a stride the first window of each series is the first in the range.
    #[must_use]
    pub fn within(&self, range: &TimeRange) -> Self {
        let range = &self.range.and(range);
        let mut windows = Self {
            runs: Vec::new(),
            starts: vec![0],
            range: *range,
            purged: 0,
            ..self.clone()
        };
        let series: Vec<usize> = self.series_held();
        if self.future {
            for place in (0..self.len()).map(|i| self.window(i)) {
                let stamps =
                    self.table
                        .following(place.series, place.origin, self.config.horizon.last());
                if stamps.is_ok_and(|stamps| stamps.iter().all(|s| range.contains(s.utc))) {
                    windows.push(place.series, place.origin, 1);
                }
            }
        } else {
            windows.fill(&series, range);
        }
        windows
    }

    /// Only the windows of these series.
    ///
    /// # Errors
    /// A value error for a series that the table does not have.
    pub fn of_series<S: AsRef<str>>(&self, ids: &[S]) -> Result<Self, DataError> {
        let wanted = ids
            .iter()
            .map(|id| self.table.index_of(id.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut windows = Self {
            runs: Vec::new(),
            starts: vec![0],
            ..self.clone()
        };
        for run in &self.runs {
            if wanted.contains(&(run.series as usize)) {
                windows.push(run.series as usize, run.origin as usize, run.count as usize);
            }
        }
        Ok(windows)
    }

    /// With values scaled as the scaler was fitted: targets, covariates and fixed numbers.
    ///
    /// # Errors
    /// A schema error if the scaler has other columns than the table; a value error for a series
    /// that it was not fitted on, where it refuses those.
    pub fn with_scaler(mut self, scaler: &Arc<SeriesScaler>) -> Result<Self, DataError> {
        scaler.check(&self.table)?;
        self.scaler = Some(Arc::clone(scaler));
        Ok(self)
    }

    fn series_held(&self) -> Vec<usize> {
        let mut series: Vec<usize> = self.runs.iter().map(|run| run.series as usize).collect();
        series.dedup();
        series
    }

    fn push(&mut self, series: usize, origin: usize, count: usize) {
        self.runs.push(Run {
            series: series as u32,
            origin: origin as u32,
            count: count as u32,
        });
        self.starts.push(self.len() + count);
    }

    /// Adds the windows of these series whose forecast part lies in the range.
    fn fill(&mut self, series: &[usize], range: &TimeRange) {
        let table = Arc::clone(&self.table);
        let (least, last, stride) = (
            self.config.least(),
            self.config.horizon.last(),
            self.config.stride,
        );
        for &series in series {
            let rows = &table.series[series];
            let times = &rows.times[..rows.end];
            // The row of the first forecast step, and one past the last.
            let from = range
                .from
                .map_or(0, |t| times.partition_point(|time| *time < t));
            let until = range
                .until
                .map_or(times.len(), |t| times.partition_point(|time| *time < t));
            let first = from.max(least);
            let room = (until + 1).saturating_sub(last + first);
            // Those that begin before the end of the range and reach beyond it.
            if until < times.len() {
                let begun = until.saturating_sub(first).div_ceil(stride);
                self.purged += begun.saturating_sub(room.div_ceil(stride));
            }
            if room == 0 {
                continue;
            }
            let mut origins = (0..room).step_by(stride).map(|i| first - 1 + i);
            let targets = &rows.columns[..table.schema.config.targets.len()];
            let whole = |column: &Vec<f64>| column[..rows.end].iter().all(|v| !v.is_nan());
            if targets.iter().any(whole) {
                if let Some(origin) = origins.next() {
                    self.push(series, origin, 1 + origins.count());
                }
                continue;
            }
            let observed = |row: usize| targets.iter().any(|column| !column[row].is_nan());
            // Rows with a value before each row.
            let mut before = Vec::with_capacity(rows.end + 1);
            before.push(0_u32);
            for row in 0..rows.end {
                before.push(before[row] + u32::from(observed(row)));
            }
            let mut run: Option<(usize, usize)> = None;
            for origin in origins {
                let start = (origin + 1).saturating_sub(self.config.lookback);
                let useful = before[origin + 1] > before[start]
                    && match &self.config.horizon {
                        Horizon::Steps(steps) => before[origin + 1 + steps] > before[origin + 1],
                        Horizon::List(steps) => steps.iter().any(|step| observed(origin + step)),
                    };
                match (&mut run, useful) {
                    (Some((_, count)), true) => *count += 1,
                    (None, true) => run = Some((origin, 1)),
                    (Some((origin, count)), false) => {
                        self.push(series, *origin, *count);
                        run = None;
                    }
                    (None, false) => {}
                }
            }
            if let Some((origin, count)) = run {
                self.push(series, origin, count);
            }
        }
    }

    /// Refuses a future whose known columns are not there.
    fn check_known(&self, series: usize) -> Result<(), DataError> {
        let table = &self.table;
        let config = &table.schema.config;
        if config.known.is_empty() {
            return Ok(());
        }
        let rows = &table.series[series];
        let id = &table.schema.ids[series];
        let steps = self.config.horizon.last();
        let first = config.targets.len() + config.past.len();
        let there = rows.times.len() - rows.end;
        if there < steps {
            let zone = table.schema.zone();
            let next = table.schema.after(rows.stamp(rows.times.len() - 1), zone);
            let when = next.map_or_else(
                || format!("after {}", rows.shown(rows.times.len() - 1)),
                |stamp| format!("at {}", shown(stamp.utc, stamp.offset())),
            );
            return Err(DataError::value(format!(
                "series '{id}' {when}: {} known for the future, and the table has {there} of the \
                 {steps} rows after the last value of a target: add the rows, with the targets \
                 left empty",
                match config.known.as_slice() {
                    [one] => format!("column '{one}' must be"),
                    more => format!("columns {} must be", some_names(more)),
                }
            ))
            .at_column(&config.known[0]));
        }
        if config.missing == MissingValues::Forward {
            return Ok(());
        }
        for (name, column) in config.known.iter().zip(&rows.columns[first..]) {
            for (row, value) in column.iter().enumerate().skip(rows.end).take(steps) {
                if value.is_nan() {
                    return Err(cell_error(
                        name,
                        id,
                        &rows.shown(row),
                        "has no value in the future, and the column is named as known: fill the \
                         cell, or set missing to forward",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Number of windows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Arc<SeriesTable> {
        &self.table
    }

    /// The lookback and horizon.
    #[must_use]
    pub fn config(&self) -> &WindowConfig {
        &self.config
    }

    /// The scaler, if there is one.
    #[must_use]
    pub fn scaler(&self) -> Option<&Arc<SeriesScaler>> {
        self.scaler.as_ref()
    }

    /// How many windows begin in the range of [`within`](Self::within) and were left out since
    /// their forecast part ends after it.
    #[must_use]
    pub fn purged(&self) -> usize {
        self.purged
    }

    /// Ids of the series that are too short and were left out.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Where a window lies.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn window(&self, index: usize) -> Window {
        assert!(index < self.len(), "window {index} of {}", self.len());
        let run = self.starts.partition_point(|start| *start <= index) - 1;
        let Run { series, origin, .. } = self.runs[run];
        let origin = origin as usize + (index - self.starts[run]) * self.config.stride;
        Window {
            series: series as usize,
            origin,
            time: self.table.series[series as usize].times[origin],
        }
    }

    /// The times of a window's forecast steps, milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// A value error if they lie ahead of the table and its steps are irregular.
    ///
    /// # Panics
    /// As [`window`](Self::window).
    pub fn forecast_times(&self, index: usize) -> Result<Vec<i64>, DataError> {
        let place = self.window(index);
        let last = self.config.horizon.last();
        let stamps = self.table.following(place.series, place.origin, last)?;
        let steps = self.config.horizon.steps();
        Ok(steps.map(|step| stamps[step - 1].utc).collect())
    }

    /// Forecasts of the windows of a batch in the targets' own units: scaling and transforms undone.
    /// Every transform grows with its value, so quantiles stay quantiles.
    ///
    /// # Shapes
    /// - forecasts: `[B, H, C]` or `[B, H, C, Q]`, flattened
    /// - output: as forecasts
    ///
    /// # Errors
    /// A schema error if the forecasts do not fill that shape.
    pub fn restore(&self, batch: &WindowBatch, forecasts: &[f32]) -> Result<Vec<f64>, DataError> {
        let c = self.table.schema.config.targets.len();
        let cells = batch.len() * self.config.horizon.count() * c;
        if cells == 0 || forecasts.is_empty() || !forecasts.len().is_multiple_of(cells) {
            return Err(DataError::schema(format!(
                "{} forecasts for {} windows of {} steps of {c} targets: there must be a whole \
                 number for each",
                forecasts.len(),
                batch.len(),
                self.config.horizon.count()
            )));
        }
        let each = forecasts.len() / cells;
        let mut values = Vec::with_capacity(forecasts.len());
        let mut cells = forecasts.chunks_exact(each);
        for (b, series) in batch.series.iter().enumerate() {
            let scales: Vec<_> = (0..c).map(|column| self.scale(column, *series)).collect();
            for step in self.config.horizon.steps() {
                for (column, scale) in scales.iter().enumerate() {
                    let last = batch.last[b * c + column];
                    let cell = cells.next().unwrap_or_default();
                    values.extend(
                        cell.iter()
                            .map(|z| scale.restore(f64::from(*z), last, step)),
                    );
                }
            }
        }
        Ok(values)
    }

    /// Bytes that the windows hold besides the table.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.runs.capacity() * size_of::<Run>()
            + self.starts.capacity() * size_of::<usize>()
    }
}
