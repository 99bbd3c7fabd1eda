//! Series side by side, each sorted by time.

use super::shown::{shown_in, some_names};
use super::timetable::Stamp;
use super::{CalendarFields, SeriesReport, SeriesSchema, TimeUnit};
use crate::DataError;

/// Series side by side, each sorted by time, and every column stored once.
///
/// Times are milliseconds since 1970-01-01 UTC. A series may end with rows that have no value of
/// any target: its future, for which known columns are given.
///
/// Made by [`from_table`](Self::from_table); a forecast's table by [`like`](Self::like).
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesTable {
    pub(super) schema: SeriesSchema,
    pub(super) series: Vec<OneSeries>,
    pub(super) report: SeriesReport,
}

/// The rows of one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct OneSeries {
    /// What the numbers of its column of times count, where they are numbers.
    pub(super) unit: Option<TimeUnit>,
    /// Milliseconds UTC, ascending.
    pub(super) times: Vec<i64>,
    /// Minutes ahead of UTC; `None` where all are 0.
    pub(super) offsets: Option<Vec<i16>>,
    /// Targets, past and known columns in the config's order; NaN is missing.
    pub(super) columns: Vec<Vec<f64>>,
    /// Rows before the future: up to the last with a value of any target.
    pub(super) end: usize,
    /// Values of the fixed columns that hold numbers; NaN is missing.
    pub(super) numbers: Vec<f64>,
    /// Codes of those that hold labels.
    pub(super) codes: Vec<u32>,
}

impl OneSeries {
    pub(super) fn stamp(&self, row: usize) -> Stamp {
        let offset = self.offsets.as_ref().map_or(0, |offsets| offsets[row]);
        Stamp::new(self.times[row], offset)
    }

    /// A row's time as messages show it.
    pub(super) fn shown(&self, row: usize) -> String {
        let stamp = self.stamp(row);
        shown_in(self.unit, stamp.utc, stamp.offset())
    }

    /// Where the future begins, by the targets.
    pub(super) fn find_end(&self, targets: usize) -> usize {
        let observed = |row: &usize| self.columns[..targets].iter().any(|c| !c[*row].is_nan());
        (0..self.times.len())
            .rev()
            .find(observed)
            .map_or(0, |row| row + 1)
    }

    fn held_bytes(&self) -> usize {
        let offsets = self.offsets.as_ref().map_or(0, |o| o.capacity() * 2);
        let columns: usize = self.columns.iter().map(|c| c.capacity() * 8).sum();
        self.times.capacity() * 8
            + offsets
            + columns
            + self.numbers.capacity() * 8
            + self.codes.capacity() * 4
            + size_of::<Self>()
    }
}

impl SeriesTable {
    /// What was found in the file, and what was done about it.
    #[must_use]
    pub fn report(&self) -> &SeriesReport {
        &self.report
    }

    /// What prediction must keep the same.
    #[must_use]
    pub fn schema(&self) -> &SeriesSchema {
        &self.schema
    }

    /// Number of series.
    #[must_use]
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// Number of rows of all series, their future included.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.series.iter().map(|series| series.times.len()).sum()
    }

    /// Ids of the series, in order of their numbers.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.schema.ids
    }

    /// The number of the series called so.
    ///
    /// # Errors
    /// A value error that lists the series there are.
    pub fn index_of(&self, id: &str) -> Result<usize, DataError> {
        let found = self.schema.ids.iter().position(|known| known == id);
        found.ok_or_else(|| {
            DataError::value(format!(
                "series '{id}' is not in the table; it has {}",
                some_names(&self.schema.ids)
            ))
        })
    }

    /// Times of a series, milliseconds since 1970-01-01 UTC.
    ///
    /// # Panics
    /// If there is no series of this number.
    #[must_use]
    pub fn times(&self, series: usize) -> &[i64] {
        &self.series[series].times
    }

    /// Rows of a series before its future: up to the last one with a value of any target.
    ///
    /// # Panics
    /// If there is no series of this number.
    #[must_use]
    pub fn observed(&self, series: usize) -> usize {
        self.series[series].end
    }

    /// A target, past or known column of a series; NaN is missing.
    ///
    /// # Errors
    /// A schema error if there is no such column.
    ///
    /// # Panics
    /// If there is no series of this number.
    pub fn column(&self, series: usize, name: &str) -> Result<&[f64], DataError> {
        let place = self.column_index(name)?;
        Ok(&self.series[series].columns[place])
    }

    pub(super) fn column_index(&self, name: &str) -> Result<usize, DataError> {
        let mut names = self.schema.config.moving();
        names.position(|known| known == name).ok_or_else(|| {
            let names: Vec<&String> = self.schema.config.moving().collect();
            DataError::schema(format!(
                "is no target, past or known column; those are {}",
                some_names(&names)
            ))
            .at_column(name)
        })
    }

    /// A row's place in its day, week, month and year, on the series' own clock.
    ///
    /// # Panics
    /// If there is no such series or row.
    #[must_use]
    pub fn calendar(&self, series: usize, row: usize) -> CalendarFields {
        self.schema.calendar(self.series[series].stamp(row))
    }

    /// The times of the steps after the last observed row, whether or not the table has rows for
    /// them: those of its rows where it has, then by the frequency.
    ///
    /// # Errors
    /// A value error if the frequency is irregular and rows are missing, or the series has no
    /// observed row.
    ///
    /// # Panics
    /// If there is no series of this number.
    pub fn next_times(&self, series: usize, steps: usize) -> Result<Vec<i64>, DataError> {
        let rows = &self.series[series];
        let Some(last) = rows.end.checked_sub(1) else {
            return Err(self.without_target(series));
        };
        let stamps = self.following(series, last, steps)?;
        Ok(stamps.into_iter().map(|stamp| stamp.utc).collect())
    }

    pub(super) fn without_target(&self, series: usize) -> DataError {
        DataError::value(format!(
            "series '{}' has no value of any target: leave it out of the file",
            self.schema.ids[series]
        ))
    }

    /// The steps after a row, of its series' rows first and then by the frequency.
    pub(super) fn following(
        &self,
        series: usize,
        row: usize,
        steps: usize,
    ) -> Result<Vec<Stamp>, DataError> {
        let rows = &self.series[series];
        let zone = self.schema.zone();
        let mut stamps = Vec::with_capacity(steps);
        let mut last = rows.stamp(row);
        for step in 1..=steps {
            last = if row + step < rows.times.len() {
                rows.stamp(row + step)
            } else {
                self.schema.after(last, zone).ok_or_else(|| {
                    DataError::value(format!(
                        "series '{}' after {}: its steps are irregular, so the time of the next \
                         one is not known; declare frequency, add rows for the future, or set \
                         calendar = false",
                        self.schema.ids[series],
                        rows.shown(rows.times.len() - 1)
                    ))
                })?
            };
            stamps.push(last);
        }
        Ok(stamps)
    }

    /// Bytes that the table holds in memory.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.series.iter().map(OneSeries::held_bytes).sum()
    }
}
