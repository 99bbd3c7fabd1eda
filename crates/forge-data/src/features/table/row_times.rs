//! When the bars were.

use super::cells::BadCell;
use super::report::{SkippedKind, Skips};
use super::{BadCells, BarFeatures};
use crate::schema::Decimal;
use crate::table::cell_text;
use crate::{Column, ColumnValues, DataError, Table, printable};

const MILLIS_PER_SECOND: f64 = 1_000.0;

/// The times of the rows.
pub(super) struct RowTimes<'t> {
    column: &'t Column,
    /// In the units of the column.
    longest_step: Option<f64>,
    missing: BadCells,
}

impl<'t> RowTimes<'t> {
    pub(super) fn new(config: &BarFeatures, table: &'t Table) -> Result<Option<Self>, DataError> {
        let Some(name) = &config.columns.time else {
            return Ok(None);
        };
        let column = table.column(name)?;
        if matches!(column.values, ColumnValues::Categorical(_)) {
            return Err(DataError::schema(
                "holds labels, but columns.time needs dates or numbers; declare its dates when reading",
            )
            .at_column(name));
        }
        let unit = match column.values {
            ColumnValues::DateTime(_) => MILLIS_PER_SECOND,
            _ => 1.0,
        };
        Ok(Some(Self {
            column,
            longest_step: config.longest_step.map(|step| step * unit),
            missing: config.missing,
        }))
    }

    /// Checks that the row comes after the last of its series, and not too long after.
    pub(super) fn rise(
        &self,
        row: usize,
        series: &str,
        last: &mut Option<f64>,
        skips: &mut Skips,
    ) -> Result<(), DataError> {
        let column = self.column;
        let of_series = |message: String| {
            if series.is_empty() {
                message
            } else {
                format!("{message} (series '{}')", printable(series))
            }
        };
        let wrong = |message: String| {
            DataError::value(of_series(message))
                .at_index(row)
                .at_column(&column.name)
        };
        let time = match &column.values {
            ColumnValues::DateTime(times) if !column.is_missing(row) => times[row] as f64,
            ColumnValues::Numeric(times) if times[row].is_finite() => times[row],
            _ => {
                return Err(wrong(
                    "is missing or infinite; every bar needs a time".into(),
                ));
            }
        };
        if last.is_some_and(|last| time <= last) {
            return Err(wrong(format!(
                "{} is not after the time of the bar before it: bars must be sorted by time, each time \
                 once per series",
                cell_text(column, row, Decimal::Point)?
            )));
        }
        let step = last.map_or(0.0, |last| time - last);
        *last = Some(time);
        match self.longest_step {
            Some(longest) if step > longest => {
                let message = format!(
                    "{} is {} times the longest step after the bar before it: bars are missing between \
                     them",
                    cell_text(column, row, Decimal::Point)?,
                    (step / longest * 100.0).round() / 100.0
                );
                let cell = BadCell {
                    column: &column.name,
                    row,
                    message: of_series(message),
                    kind: SkippedKind::Gap,
                };
                self.missing.meet(cell, skips)
            }
            _ => Ok(()),
        }
    }
}
