//! Windows over a table of series, as places in it.

mod assemble;
mod config;
mod future;
mod restore;
mod select;
mod window_batch;

pub use assemble::last_present;
pub use config::{Horizon, ShortSeries, WindowConfig};
pub use window_batch::WindowBatch;

use std::sync::Arc;

use super::{SeriesScaler, SeriesTable, TimeRange};
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

    /// Bytes that the windows hold besides the table.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + self.runs.capacity() * size_of::<Run>()
            + self.starts.capacity() * size_of::<usize>()
    }
}
