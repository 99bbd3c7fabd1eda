//! A wide set as a panel.

use volatilityforge::data::{ColumnValues, SeriesConfig};
use volatilityforge::nn::ForgeError;
use volatilityforge::{Column, Error, Table};

use super::Loaded;

/// Which column of the wide set a row is of.
const SERIES: &str = "series";
const VALUE: &str = "value";

impl Loaded {
    /// Makes each target a series of its own, for models of one target: the same windows, scales and steps,
    /// one after the other. A set of one target stays as it is.
    pub(crate) fn one_series_per_target(&mut self) -> Result<(), Error> {
        let series = &self.config.series;
        let [_, _, ..] = series.targets.as_slice() else {
            return Ok(());
        };
        let time = &self.table.columns()[0];
        let ColumnValues::DateTime(times) = &time.values else {
            let allowed = "a column of times before the targets";
            return Err(ForgeError::config("sets", &time.name, allowed).into());
        };
        let (rows, n) = (times.len(), series.targets.len());
        let name = time.name.clone();
        let mut values = Vec::with_capacity(rows * n);
        let mut ids = Vec::with_capacity(rows * n);
        for target in &series.targets {
            if let ColumnValues::Numeric(of_target) = &self.table.column(target)?.values {
                values.extend_from_slice(of_target);
                ids.resize(ids.len() + rows, Some(target.as_str()));
            }
        }
        let columns = vec![
            Column::date_time(&name, times.repeat(ids.len() / rows)),
            Column::categorical(SERIES, ids),
            Column::numeric(VALUE, values),
        ];
        self.table = Table::new(columns)?;
        self.config.series = SeriesConfig::new(name.as_str(), [VALUE]).with_series(SERIES);
        Ok(())
    }
}
