//! Windows whose forecast part lies ahead of the table.

use std::sync::Arc;

use super::{WindowConfig, Windows};
use crate::DataError;
use crate::series::shown::{cell_error, some_names};
use crate::series::{MissingValues, SeriesTable};

impl Windows {
    /// One window per series that ends with its last observed row, to forecast what comes next;
    /// series that end at different times have different ones. Their batches have no target.
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
                |stamp| format!("at {}", table.schema.shown(stamp)),
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
}
