//! A bar more, as it comes in.

use super::bars::Places;
use super::{SeriesBars, SeriesFeatures, Source};
use crate::DataError;
use crate::series::shown::{cell_error, some_names};
use crate::series::timetable::Stamp;
use crate::series::{Appended, SeriesRow, SeriesTable};

impl SeriesFeatures {
    /// Adds a row of raw values to a table that [`compute`](Self::compute) made, with the features after
    /// it: [`SeriesTable::append`].
    ///
    /// # Errors
    /// As there; a value error naming column, series and time for a bar that lacks a cell or cannot be,
    /// unless such are skipped, and for a second bar of one time. Table and state are then as before.
    pub fn append(
        &self,
        bars: &mut SeriesBars,
        table: &mut SeriesTable,
        row: &SeriesRow,
    ) -> Result<Appended, DataError> {
        let series = table.index_of(&row.series)?;
        let raw = self.raw(&table.schema.config);
        let from = self.sources(&raw, &table.schema.config)?;
        let names: Vec<&String> = raw.moving().collect();
        let mut values = vec![f64::NAN; names.len()];
        for (name, value) in &row.values {
            let Some(place) = names.iter().position(|known| *known == name) else {
                let mut message = format!(
                    "is no column of the raw series; those are {}",
                    some_names(&names)
                );
                if self.bars.set.names().any(|feature| feature == name) {
                    message = "is computed from the bars: leave it out".into();
                }
                return Err(DataError::schema(message).at_column(name));
            };
            if value.is_infinite() {
                let time = table.schema.shown(Stamp::new(row.time, 0));
                let message = "is infinite; give NaN for a missing value";
                return Err(cell_error(name, &row.series, &time, message));
            }
            values[place] = *value;
        }
        let places = Places::new(self, &raw)?;
        let (next, features) = bars.after(self, &places, table, series, row.time, &values)?;
        let value = |source: &Source| match source {
            Source::Raw(place) => values[*place],
            Source::Feature(place) => features[*place].unwrap_or(f64::NAN),
        };
        let whole = SeriesRow {
            series: row.series.clone(),
            time: row.time,
            values: (table.schema.config.moving().cloned())
                .zip(from.iter().map(value))
                .collect(),
        };
        let computed: Vec<bool> = from
            .iter()
            .map(|s| matches!(s, Source::Feature(_)))
            .collect();
        let appended = table.append_but(&whole, &computed)?;
        if let Some(next) = next {
            bars.keep(series, next);
        }
        Ok(appended)
    }
}
