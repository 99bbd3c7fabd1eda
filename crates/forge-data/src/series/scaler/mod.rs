//! Scales of the columns, from training steps only.

mod centre;
mod config;
mod far_out;
mod value_scale;

pub use centre::Centre;
pub use config::{ScaleBy, ScalerConfig, SeriesScale, SeriesTransform, UnknownSeries};
pub use far_out::SeriesFarOut;
pub(super) use value_scale::{OutOfDomain, ValueScale};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shown::{cell_error, some_names};
use super::table::OneSeries;
use super::{SeriesTable, TimeRange};
use crate::DataError;

/// Scales of the columns of a table of series, from the steps in a range of time only.
///
/// Serde writes it as a part of a model's file.
///
/// ```
/// use std::sync::Arc;
/// use forge_data::{
///     Column, ScalerConfig, SeriesConfig, SeriesScaler, SeriesTable, Table, TimeRange,
/// };
/// let day = 86_400_000;
/// let table = Table::new(vec![
///     Column::date_time("date", (0..30).map(|i| i * day).collect()),
///     Column::numeric("close", (0..30).map(f64::from).collect()),
/// ])?;
/// let table = SeriesTable::from_table(&table, &SeriesConfig::new("date", ["close"]))?;
/// // The first ten days: 0 to 9.
/// let training = TimeRange::until(10 * day);
/// let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &training)?;
/// assert_eq!(scaler.columns()[0].all.centre, 4.5);
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesScaler {
    config: ScalerConfig,
    /// The steps that the statistics are from.
    fitted: TimeRange,
    /// Targets, past and known columns.
    pub(super) columns: Vec<ColumnScaler>,
    /// Fixed numbers, across series.
    pub(super) fixed: Vec<ColumnScaler>,
}

/// The scale of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnScaler {
    /// The header.
    pub name: String,
    /// What is done before scaling.
    pub transform: SeriesTransform,
    /// Of all series together.
    pub all: Centre,
    /// Of each series, by id, where each has its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<String, Centre>,
}

impl ColumnScaler {
    /// What applies to a series: that of all where it has none of its own.
    pub(super) fn of(&self, id: &str) -> ValueScale {
        ValueScale {
            transform: self.transform,
            centre: self.series.get(id).copied().unwrap_or(self.all),
        }
    }
}

impl SeriesScaler {
    /// Statistics of the steps whose time lies in `training`; later ones are not looked at.
    ///
    /// A series with fewer than two values of a column there has the scale of all series, and a
    /// column that is constant there the scale 1.
    ///
    /// # Errors
    /// - schema: a transform is named for a column that is no target, past or known one, or a scale
    ///   for one that is no fixed number either
    /// - value: a value there is outside what its transform takes (0 or less under `log`), named by
    ///   column, series and time; or a column has no value there in any series
    pub fn fit(
        table: &SeriesTable,
        config: &ScalerConfig,
        training: &TimeRange,
    ) -> Result<Self, DataError> {
        for name in config.transforms.keys() {
            table.column_index(name)?;
        }
        for name in config.scales.keys() {
            if !table
                .schema
                .fixed_numbers()
                .any(|column| column.name == *name)
            {
                table.column_index(name)?;
            }
        }
        let names = table.schema.config.moving();
        let columns = names
            .enumerate()
            .map(|(place, name)| fit_column(table, config, training, place, name))
            .collect::<Result<Vec<_>, _>>()?;
        let fixed = table.schema.fixed_numbers().enumerate();
        let fixed = fixed
            .map(|(place, column)| {
                let values = table.series.iter().map(|series| series.numbers[place]);
                let values = values.filter(|value| !value.is_nan()).collect();
                ColumnScaler {
                    name: column.name.clone(),
                    transform: SeriesTransform::None,
                    all: Centre::of(values, config.scale_of(&column.name)).unwrap_or_default(),
                    series: BTreeMap::new(),
                }
            })
            .collect();
        Ok(Self {
            config: config.clone(),
            fitted: *training,
            columns,
            fixed,
        })
    }

    /// With another word on series that were not there when it was fitted.
    #[must_use]
    pub fn with_unknown_series(mut self, unknown: UnknownSeries) -> Self {
        self.config.unknown_series = unknown;
        self
    }

    /// What was asked for.
    #[must_use]
    pub fn config(&self) -> &ScalerConfig {
        &self.config
    }

    /// The range that the statistics are from.
    #[must_use]
    pub fn fitted(&self) -> &TimeRange {
        &self.fitted
    }

    /// Targets, past and known columns, in the table's order.
    #[must_use]
    pub fn columns(&self) -> &[ColumnScaler] {
        &self.columns
    }

    /// Whether a table can be scaled by this.
    pub(super) fn check(&self, table: &SeriesTable) -> Result<(), DataError> {
        let names: Vec<&str> = table.schema.config.moving().map(String::as_str).collect();
        let fixed: Vec<&str> = table
            .schema
            .fixed_numbers()
            .map(|c| c.name.as_str())
            .collect();
        let of = |columns: &[ColumnScaler]| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        for (mine, theirs) in [(of(&self.columns), names), (of(&self.fixed), fixed)] {
            if mine != theirs {
                return Err(DataError::schema(format!(
                    "the scaler was fitted on the columns {}, the table has {}: they must be the \
                     same in the same order",
                    some_names(&mine),
                    some_names(&theirs)
                )));
            }
        }
        for column in self.columns.iter().chain(&self.fixed) {
            let centres = column.series.values().chain([&column.all]);
            for centre in centres {
                centre.check().map_err(|e| e.at_column(&column.name))?;
            }
        }
        if self.config.by == ScaleBy::Global || self.config.unknown_series == UnknownSeries::Global
        {
            return Ok(());
        }
        let Some(first) = self.columns.first() else {
            return Ok(());
        };
        match table
            .ids()
            .iter()
            .find(|id| !first.series.contains_key(*id))
        {
            None => Ok(()),
            Some(id) => {
                let known: Vec<&String> = first.series.keys().collect();
                Err(DataError::value(format!(
                    "series '{id}' is not one that the scaler was fitted on; those are {}. Leave \
                     it out, fit again, or set unknown_series = global to scale it as all series \
                     together",
                    some_names(&known)
                )))
            }
        }
    }
}

/// Values of a column in the training range as `scale` makes them, each with its row.
fn training_values(
    rows: &OneSeries,
    place: usize,
    scale: ValueScale,
    training: &TimeRange,
    mut take: impl FnMut(usize, f64),
) -> Result<(), (usize, OutOfDomain)> {
    let mut before = None;
    for (row, (value, time)) in rows.columns[place].iter().zip(&rows.times).enumerate() {
        let ended = training.until.is_some_and(|until| *time >= until);
        if ended || row >= rows.end {
            break;
        }
        if value.is_nan() {
            continue;
        }
        if training.contains(*time)
            && let Some(value) = scale.input(*value, before).map_err(|e| (row, e))?
        {
            take(row, value);
        }
        before = Some(*value);
    }
    Ok(())
}

fn fit_column(
    table: &SeriesTable,
    config: &ScalerConfig,
    training: &TimeRange,
    place: usize,
    name: &str,
) -> Result<ColumnScaler, DataError> {
    let transform = config.transforms.get(name).copied().unwrap_or_default();
    let unscaled = ValueScale {
        transform,
        centre: Centre::default(),
    };
    let mut every = Vec::new();
    let mut own: Vec<(&String, Option<Centre>)> = Vec::new();
    for (rows, id) in table.series.iter().zip(table.ids()) {
        let mut values = Vec::new();
        training_values(rows, place, unscaled, training, |_, value| {
            values.push(value)
        })
        .map_err(|(row, e)| cell_error(name, id, &rows.shown(row), e))?;
        every.extend_from_slice(&values);
        if config.by == ScaleBy::Series {
            let enough = values.len() >= 2;
            own.push((
                id,
                enough
                    .then(|| Centre::of(values, config.scale_of(name)))
                    .flatten(),
            ));
        }
    }
    let all = Centre::of(every, config.scale_of(name)).ok_or_else(|| {
        DataError::value(format!(
            "has no value in the training range ({training}): leave the column out, or train on \
             more"
        ))
        .at_column(name)
    })?;
    let series = own
        .into_iter()
        .map(|(id, centre)| (id.clone(), centre.unwrap_or(all)))
        .collect();
    Ok(ColumnScaler {
        name: name.into(),
        transform,
        all,
        series,
    })
}
