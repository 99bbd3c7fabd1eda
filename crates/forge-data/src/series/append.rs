//! A bar more, as it comes in.

use super::SeriesTable;
use super::build_steps::fill;
use super::policies::{Gaps, MissingValues};
use super::shown::cell_error;
use super::time_columns::{is_dated, undated};
use super::timetable::{Between, Stamp};
use crate::DataError;
use crate::schema::date_time::DAY;

/// One row of one series, as it comes in.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRow {
    /// The id of its series; empty where the table has one series without an id.
    pub series: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub time: i64,
    /// Values by column; a column that is not named is missing.
    pub values: Vec<(String, f64)>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The number of its series.
    pub series: usize,
    /// Its row in the series.
    pub row: usize,
    /// Steps between it and the row before that are missing, or were put in as the config says.
    pub missing: u64,
    /// Whether it is off the grid that the frequency makes of the row before.
    pub off_grid: bool,
}

impl SeriesTable {
    /// Adds one row at the end of a series; or, where the table has a row for this time in the
    /// series' future, fills it in, keeping what is known of it. The same rows appended one by one
    /// make the same windows as read at once; with [`Gaps::Fill`] on business days as far as the rows
    /// of other series have come.
    ///
    /// # Errors
    /// - schema: a value is named for a column that is no target, past or known one
    /// - value: the series is not known, the time is not after its last row (or is off the future
    ///   rows that there are), a value is infinite, or there is a fault that the config refuses
    ///
    /// ```
    /// use forge_data::{Column, SeriesConfig, SeriesRow, SeriesTable, Table};
    /// let day = 86_400_000;
    /// let table = Table::new(vec![
    ///     Column::date_time("date", (0..30).map(|i| i * day).collect()),
    ///     Column::numeric("close", (0..30).map(f64::from).collect()),
    /// ])?;
    /// let mut series = SeriesTable::from_table(&table, &SeriesConfig::new("date", ["close"]))?;
    /// let row = SeriesRow {
    ///     series: String::new(),
    ///     time: 30 * day,
    ///     values: vec![("close".into(), 30.0)],
    /// };
    /// assert_eq!(series.append(&row)?.row, 30);
    /// assert!(series.append(&row).is_err());
    /// # Ok::<(), forge_data::DataError>(())
    /// ```
    pub fn append(&mut self, row: &SeriesRow) -> Result<Appended, DataError> {
        self.append_but(row, &[])
    }

    /// [`append`](Self::append) with columns that may lack a value whatever the config says: those that
    /// are computed.
    pub(super) fn append_but(
        &mut self,
        row: &SeriesRow,
        computed: &[bool],
    ) -> Result<Appended, DataError> {
        let series = self.index_of(&row.series)?;
        if !is_dated(row.time) {
            let column = self.schema.config.time.names().next().unwrap_or_default();
            return Err(undated(column, format!("{} ms", row.time)));
        }
        let values = self.placed_values(row)?;
        let targets = self.schema.config.targets.len();
        let rows = &self.series[series];
        let last = rows.times.len().checked_sub(1).map(|last| rows.stamp(last));
        let stamp = self.stamp_of_new(series, row.time);
        let offset = stamp.offset();
        self.check_missing(row, series, stamp, &values, computed)?;
        if last.is_some_and(|last| row.time <= last.utc) {
            return self.update(row, series, stamp, &values);
        }
        let mut missing = 0;
        let mut filled = Vec::new();
        let between = last.map(|last| (last, self.schema.timetable.between(last, stamp)));
        let off_grid = matches!(between, Some((_, Between::OffGrid)));
        if let Some((last, Between::Missing { steps, .. })) = between {
            missing = steps;
            match self.schema.config.gaps {
                Gaps::Refuse if steps > 0 => {
                    return Err(DataError::value(format!(
                        "series '{}' lacks {steps} steps of {} between {} and {}: append them \
                         first, or set gaps to keep or fill",
                        row.series,
                        self.schema.shown_frequency(),
                        self.schema.shown(last),
                        self.schema.shown(stamp)
                    )));
                }
                Gaps::Fill if steps > 0 => {
                    let most = 10 * self.series[series].times.len() as u64 + 10_000;
                    if steps > most {
                        return Err(DataError::value(format!(
                            "series '{}' at {}: {steps} steps after the last row would be put in, \
                             more than ten times as many as it has; set gaps to keep",
                            row.series,
                            self.schema.shown(stamp)
                        )));
                    }
                    filled = self.schema.timetable.missing(last, stamp);
                }
                _ => {}
            }
        }
        let rows = &mut self.series[series];
        let length = rows.times.len();
        if offset != 0 || rows.offsets.is_some() {
            rows.offsets
                .get_or_insert_with(|| vec![0; length])
                .push(offset);
        }
        rows.times.push(row.time);
        for (column, value) in rows.columns.iter_mut().zip(&values) {
            column.push(*value);
        }
        if !filled.is_empty() {
            fill(rows, &[(length, filled)], &self.schema);
        }
        let place = rows.times.len() - 1;
        if values[..targets].iter().any(|value| !value.is_nan()) {
            rows.end = place + 1;
        }
        self.note(stamp);
        Ok(Appended {
            series,
            row: place,
            missing,
            off_grid,
        })
    }

    /// A time after the last row of a series, on the series' own clock.
    pub(super) fn stamp_of_new(&self, series: usize, time: i64) -> Stamp {
        let rows = &self.series[series];
        let last = rows.times.len().checked_sub(1).map(|last| rows.stamp(last));
        let offset = self.schema.zone().map_or_else(
            || last.map_or(0, Stamp::offset),
            |zone| zone.offset_at(time),
        );
        Stamp::new(time, offset)
    }

    /// The values in the order of the columns.
    fn placed_values(&self, row: &SeriesRow) -> Result<Vec<f64>, DataError> {
        let mut values = vec![f64::NAN; self.schema.config.moving().count()];
        for (name, value) in &row.values {
            let place = self.column_index(name)?;
            if value.is_infinite() {
                let time = self.schema.shown(Stamp::new(row.time, 0));
                let message = "is infinite; give NaN for a missing value";
                return Err(cell_error(name, &row.series, &time, message));
            }
            values[place] = *value;
        }
        Ok(values)
    }

    fn check_missing(
        &self,
        row: &SeriesRow,
        series: usize,
        stamp: Stamp,
        values: &[f64],
        computed: &[bool],
    ) -> Result<(), DataError> {
        if self.schema.config.missing != MissingValues::Refuse {
            return Ok(());
        }
        // A row that only says what is known ahead has no more.
        let config = &self.schema.config;
        let ahead = values[..config.targets.len()].iter().all(|v| v.is_nan());
        let first = if ahead {
            config.targets.len() + config.past.len()
        } else {
            0
        };
        // What a future row says already need not be said again.
        let there = self.series[series].times.binary_search(&row.time).ok();
        for (place, name) in config.moving().enumerate().skip(first) {
            let known = there.map_or(f64::NAN, |at| self.series[series].columns[place][at]);
            let may_lack = computed.get(place).is_some_and(|computed| *computed);
            if values[place].is_nan() && known.is_nan() && !may_lack {
                let time = self.schema.shown(stamp);
                let message = "has no value: give one, or set missing to mask or forward";
                return Err(cell_error(name, &row.series, &time, message));
            }
        }
        Ok(())
    }

    /// Fills in a row of the future.
    fn update(
        &mut self,
        row: &SeriesRow,
        series: usize,
        stamp: Stamp,
        values: &[f64],
    ) -> Result<Appended, DataError> {
        let targets = self.schema.config.targets.len();
        let rows = &mut self.series[series];
        let place = rows.times.binary_search(&row.time).ok();
        let Some(place) = place.filter(|place| *place >= rows.end) else {
            let last = rows.end.max(1) - 1;
            let ahead = if rows.end < rows.times.len() {
                ", and is none of the rows that the table has for the future"
            } else {
                ""
            };
            return Err(DataError::value(format!(
                "series '{}' at {}: is not after the last row, {}{ahead}; rows are appended in \
                 order of time",
                row.series,
                self.schema.shown(stamp),
                rows.shown(last)
            )));
        };
        for (column, value) in rows.columns.iter_mut().zip(values) {
            if !value.is_nan() {
                column[place] = *value;
            }
        }
        let mut missing = 0;
        if values[..targets].iter().any(|value| !value.is_nan()) {
            missing = (place - rows.end) as u64;
            rows.end = place + 1;
        }
        Ok(Appended {
            series,
            row: place,
            missing,
            off_grid: false,
        })
    }

    /// Keeps the days that are open, and the report's ends.
    fn note(&mut self, stamp: Stamp) {
        let open = &mut self.schema.timetable.open;
        let day = stamp.local.div_euclid(DAY);
        if let Err(place) = open.binary_search(&day) {
            open.insert(place, day);
        }
        self.report.rows = self.series.iter().map(|rows| rows.times.len()).sum();
    }
}
