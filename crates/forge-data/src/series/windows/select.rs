//! Windows by time and by series.

use std::sync::Arc;

use super::{Horizon, Run, Windows};
use crate::DataError;
use crate::series::TimeRange;

impl Windows {
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

    fn series_held(&self) -> Vec<usize> {
        let mut series: Vec<usize> = self.runs.iter().map(|run| run.series as usize).collect();
        series.dedup();
        series
    }

    pub(super) fn push(&mut self, series: usize, origin: usize, count: usize) {
        self.runs.push(Run {
            series: series as u32,
            origin: origin as u32,
            count: count as u32,
        });
        self.starts.push(self.len() + count);
    }

    /// Adds the windows of these series whose forecast part lies in the range.
    pub(super) fn fill(&mut self, series: &[usize], range: &TimeRange) {
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
            let mut count = 0_u32;
            let mut before = vec![count];
            before.extend((0..rows.end).map(|row| {
                count += u32::from(observed(row));
                count
            }));
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
}
