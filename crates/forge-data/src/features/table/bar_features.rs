//! Features of bars as columns of a table.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::append::append;
use super::cells::needed;
use super::{BadCells, BarColumns, BarPanel, FeatureReport};
use crate::features::FeatureSet;
use crate::features::bar::BarField;
use crate::{DataError, Table};

/// Makes the features of a [`FeatureSet`] from a table of bars, series by series.
///
/// ```
/// use forge_data::features::{BarFeatures, BarColumns, FeatureSet};
/// use forge_data::{Column, Table};
/// let close = vec![10.0, 50.0, 10.5, 49.0];
/// let bars = Table::new(vec![
///     Column::categorical("ticker", ["A", "B", "A", "B"].map(Some)),
///     Column::numeric("open", close.clone()),
///     Column::numeric("high", close.iter().map(|c| c + 1.0).collect()),
///     Column::numeric("low", close.iter().map(|c| c - 1.0).collect()),
///     Column::numeric("close", close),
///     Column::numeric("volume", vec![100.0; 4]),
/// ])?;
/// let features = BarFeatures {
///     columns: BarColumns { series: Some("ticker".into()), ..Default::default() },
///     ..BarFeatures::new(FeatureSet::named("technical_25")?)
/// };
/// let (table, report) = features.append(&bars)?;
/// assert_eq!(report.series, 2);
/// assert_eq!(table.n_columns(), 6 + 25 - 4); // open, high, low and close are there already
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarFeatures {
    /// Which features.
    pub set: FeatureSet,
    /// Where the bars are.
    #[serde(default)]
    pub columns: BarColumns,
    /// What to do with a missing cell. Skipped, a missing price leaves out the row's bar, another
    /// missing cell the features that need it; after a gap (`longest_step`) the series goes on as if
    /// there were none. Default: an error.
    #[serde(default)]
    pub missing: BadCells,
    /// What to do with a bar that cannot be ([`Bar::check`](crate::features::Bar::check)): a price of 0
    /// or below, a high below the low. Default: an error.
    #[serde(default)]
    pub invalid: BadCells,
    /// The longest time from one bar of a series to the next, in seconds between dates and in the units
    /// of a time that is a number, above 0: bars are missing where it is longer. Days with weekends and
    /// holidays between them need four or five days. Default: none, gaps are not looked for.
    #[serde(default)]
    pub longest_step: Option<f64>,
}

impl BarFeatures {
    /// The features of `set`, from columns of the usual names, refusing bad cells.
    #[must_use]
    pub fn new(set: FeatureSet) -> Self {
        Self {
            set,
            columns: BarColumns::default(),
            missing: BadCells::Refuse,
            invalid: BadCells::Refuse,
            longest_step: None,
        }
    }

    /// The column of a field that the set needs.
    ///
    /// # Errors
    /// A config error where none is named.
    pub(crate) fn column(&self, field: BarField) -> Result<&str, DataError> {
        let name = self.columns.name(field);
        needed(name, &field.to_string(), self.set.name())
    }

    /// The features as a table of their own, row by row as the table's; what is missing is NaN.
    ///
    /// To go on later where this table ends, see [`BarPanel`].
    ///
    /// # Errors
    /// A config or schema error naming a column that is not there or of another kind; a value error
    /// naming column and row of a time that does not rise within its series, and of a bad cell unless
    /// it is to be skipped.
    pub fn apply(&self, table: &Table) -> Result<(Table, FeatureReport), DataError> {
        BarPanel::new(self.clone())?.advance(table)
    }

    /// The table with the features behind its columns. A column that has a feature's name and, up to a
    /// millionth of the largest, its numbers stays as it is.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); a schema error for a column that has a feature's name but other
    /// numbers.
    pub fn append(&self, table: &Table) -> Result<(Table, FeatureReport), DataError> {
        let (features, report) = self.apply(table)?;
        Ok((append(table, features.into_columns())?, report))
    }
}

impl FromStr for BarFeatures {
    type Err = DataError;

    /// A set by its name ([`FeatureSet::named`]), from columns of the usual names.
    fn from_str(name: &str) -> Result<Self, DataError> {
        Ok(Self::new(FeatureSet::named(name)?))
    }
}
