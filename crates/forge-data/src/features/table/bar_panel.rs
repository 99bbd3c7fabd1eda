//! Features of many series, table after table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bar_columns::BarSource;
use super::cells::BadCell;
use super::report::{SkippedKind, Skips};
use super::{BadCells, BarFeatures, FeatureReport};
use crate::features::BarStream;
use crate::features::bar_stream::needs;
use crate::preprocess::seen_row;
use crate::schema::Decimal;
use crate::table::cell_text;
use crate::{Column, ColumnValues, DataError, Table, printable};

const MILLIS_PER_SECOND: f64 = 1_000.0;

/// Features of many series whose bars come in tables, one after the other: what was computed from the
/// first goes on with the second as if both were one.
///
/// It is data: written as JSON and read again, it goes on as if nothing had been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarPanel {
    config: BarFeatures,
    series: BTreeMap<String, Series>,
}

/// How far a series has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    stream: BarStream,
    /// Of the last row: milliseconds, or a number.
    last_time: Option<f64>,
}

impl BarPanel {
    /// A panel that has seen no bar.
    ///
    /// # Errors
    /// A config error if a feature is one of option chains, or `longest_step` is not above 0 or stands
    /// without `columns.time`.
    pub fn new(config: BarFeatures) -> Result<Self, DataError> {
        needs(&config.set)?;
        if let Some(step) = config.longest_step {
            if step.is_nan() || step <= 0.0 {
                return Err(DataError::config(format!(
                    "longest_step = {step} is out of range: allowed above 0, or none"
                )));
            }
            if config.columns.time.is_none() {
                return Err(DataError::config(
                    "longest_step needs times, but columns.time is none: name their column",
                ));
            }
        }
        Ok(Self {
            config,
            series: BTreeMap::new(),
        })
    }

    /// What is computed.
    #[must_use]
    pub fn config(&self) -> &BarFeatures {
        &self.config
    }

    /// Number of series seen.
    #[must_use]
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// Takes the rows of a table in; their features, row by row.
    ///
    /// # Errors
    /// As [`BarFeatures::apply`]; the panel is then as before.
    pub fn advance(&mut self, table: &Table) -> Result<(Table, FeatureReport), DataError> {
        let set = &self.config.set;
        let source = BarSource::new(&self.config, needs(set)?, table)?;
        let names = Names::new(self.config.columns.series.as_deref(), table)?;
        let times = Times::new(&self.config, table)?;
        let mut states: Vec<Option<Series>> = vec![None; names.distinct.len()];
        let mut skips = Skips::default();
        let mut values = vec![vec![f64::NAN; table.n_rows()]; set.count()];
        for row in 0..table.n_rows() {
            let (place, name) = names.of(row)?;
            let state = match &mut states[place] {
                Some(state) => state,
                none => {
                    let known = self.series.get(name);
                    if known.is_some_and(|known| known.stream.set() != set) {
                        return Err(DataError::schema(format!(
                            "the saved series '{name}' is of another feature set than the panel: the \
                             file is damaged"
                        )));
                    }
                    none.insert(match known {
                        Some(known) => known.clone(),
                        None => Series {
                            stream: BarStream::new(set)?,
                            last_time: None,
                        },
                    })
                }
            };
            if let Some(times) = &times {
                times.rise(row, name, &mut state.last_time, &mut skips)?;
            }
            let Some(bar) = source.bar(row, &mut skips)? else {
                continue;
            };
            let features = state.stream.advance(&bar);
            for (column, value) in values.iter_mut().zip(features) {
                column[row] = value.unwrap_or(f64::NAN);
            }
        }
        let columns = set.names().zip(values);
        let columns: Vec<Column> = columns
            .map(|(name, values)| Column::numeric(name, values))
            .collect();
        let report = FeatureReport::new(names.distinct.len(), skips, &columns);
        let features = Table::new(columns)?;
        for (name, state) in names.distinct.into_iter().zip(states) {
            if let Some(state) = state {
                self.series.insert(name, state);
            }
        }
        Ok((features, report))
    }
}

/// The series of each row.
struct Names<'t> {
    column: Option<&'t Column>,
    /// Per row the place in `distinct`.
    places: Vec<usize>,
    distinct: Vec<String>,
}

impl<'t> Names<'t> {
    fn new(name: Option<&str>, table: &'t Table) -> Result<Self, DataError> {
        let Some(name) = name else {
            return Ok(Self {
                column: None,
                places: Vec::new(),
                distinct: vec![String::new()],
            });
        };
        let column = table.column(name)?;
        let mut known = BTreeMap::new();
        let mut distinct = Vec::new();
        let mut places = Vec::with_capacity(table.n_rows());
        for row in 0..table.n_rows() {
            let text = cell_text(column, row, Decimal::Point)?;
            let place = *known.entry(text).or_insert_with_key(|text: &String| {
                distinct.push(text.clone());
                distinct.len() - 1
            });
            places.push(place);
        }
        Ok(Self {
            column: Some(column),
            places,
            distinct,
        })
    }

    fn of(&self, row: usize) -> Result<(usize, &str), DataError> {
        match self.column {
            Some(column) if column.is_missing(row) => Err(DataError::value(
                "is missing; a bar belongs to a series, or leave columns.series out if there is only one",
            )
            .at_row(seen_row(row))
            .at_column(&column.name)),
            Some(_) => {
                let place = self.places[row];
                Ok((place, &self.distinct[place]))
            }
            None => Ok((0, "")),
        }
    }
}

/// The times of the rows.
struct Times<'t> {
    column: &'t Column,
    /// In the units of the column.
    longest_step: Option<f64>,
    missing: BadCells,
}

impl<'t> Times<'t> {
    fn new(config: &BarFeatures, table: &'t Table) -> Result<Option<Self>, DataError> {
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

    /// Checks that the row comes after the last of its series.
    fn rise(
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
                .at_row(seen_row(row))
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
