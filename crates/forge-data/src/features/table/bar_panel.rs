//! Features of many series, table after table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bar_source::BarSource;
use super::report::Skips;
use super::row_series::RowSeries;
use super::row_times::RowTimes;
use super::{BarFeatures, FeatureReport};
use crate::features::BarStream;
use crate::features::bar_stream::needs;
use crate::{Column, DataError, Table};

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
        let names = RowSeries::new(self.config.columns.series.as_deref(), table)?;
        let times = RowTimes::new(&self.config, table)?;
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
