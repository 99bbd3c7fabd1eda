//! Series with the features that a forecaster makes by itself.

use forge_data::{SeriesFeatures, SeriesTable, Table};

use super::ForecasterConfig;
use crate::Error;

impl ForecasterConfig {
    /// How bars become columns of the past, where that is asked for.
    pub(super) fn series_features(&self) -> Result<Option<SeriesFeatures>, Error> {
        let bars = self.features.clone();
        let features = bars.map(|bars| SeriesFeatures::new(bars, &self.series));
        Ok(features.transpose()?)
    }

    /// The series in a table, with the features that are asked for.
    ///
    /// # Errors
    /// A data error naming column, series and time: of rows that make no series, and of bars that no
    /// feature can be made of.
    pub fn series_of(&self, table: &Table) -> Result<SeriesTable, Error> {
        match self.series_features()? {
            Some(features) => Ok(features.from_table(table, &self.series)?.0),
            None => Ok(SeriesTable::from_table(table, &self.series)?),
        }
    }
}

/// What a person should know of features.
pub(super) fn note(features: &SeriesFeatures) -> String {
    let set = features.set();
    format!(
        "{} features '{}' are made of the bars; the first {} rows of a series lack some of them",
        set.count(),
        set.name(),
        set.warm_up() - 1
    )
}
