//! Features of an option chain as columns of a table.

use serde::{Deserialize, Serialize};

use super::append::append;
use super::chain_source::ChainSource;
use super::report::Skips;
use super::{BadCells, ChainColumns, FeatureReport};
use crate::features::chain::ChainNeeds;
use crate::features::{ChainFeature, Feature, FeatureSet};
use crate::{Column, DataError, Table};

/// Makes the features of a [`FeatureSet`] from the rows of an option chain.
///
/// ```
/// use forge_data::SyntheticMarketConfig;
/// use forge_data::features::{ChainFeatures, FeatureSet};
/// let chain = SyntheticMarketConfig { days: 1, ..Default::default() }.generate()?;
/// let set = FeatureSet::named("greek_proxies")?;
/// let (table, _) = ChainFeatures::new(set).append(&chain)?;
/// assert_eq!(table.n_columns(), chain.n_columns() + 4);
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFeatures {
    /// Which features.
    pub set: FeatureSet,
    /// Where the options are.
    #[serde(default)]
    pub columns: ChainColumns,
    /// What to do with a missing cell. Skipped, a missing forward, strike, time or discount leaves out
    /// the row, another the features that need it. Default: an error.
    #[serde(default)]
    pub missing: BadCells,
    /// What to do with an option that cannot be: forward, strike, time or discount of 0 or below, a
    /// negative volatility, an unknown type. Default: an error.
    #[serde(default)]
    pub invalid: BadCells,
}

impl ChainFeatures {
    /// The features of `set`, from columns of the usual names, refusing bad cells.
    #[must_use]
    pub fn new(set: FeatureSet) -> Self {
        Self {
            set,
            columns: ChainColumns::default(),
            missing: BadCells::Refuse,
            invalid: BadCells::Refuse,
        }
    }

    /// The features as a table of their own, row by row as the table's; what is missing is NaN.
    ///
    /// # Errors
    /// A config error if a feature is one of bars, or a column that the set needs is not named; a
    /// schema error naming a column that is not there or of another kind; a value error naming column
    /// and row of a bad cell unless it is to be skipped.
    pub fn apply(&self, table: &Table) -> Result<(Table, FeatureReport), DataError> {
        let features = self.chain_features()?;
        let needs = features
            .iter()
            .map(ChainFeature::needs)
            .fold(ChainNeeds::default(), |a, b| ChainNeeds {
                option: a.option || b.option,
                vol: a.vol || b.vol,
            });
        let source = ChainSource::new(self, needs, table)?;
        let mut skips = Skips::default();
        let mut values = vec![vec![f64::NAN; table.n_rows()]; features.len()];
        for row in 0..table.n_rows() {
            let Some(option) = source.option(row, &mut skips)? else {
                continue;
            };
            for (column, feature) in values.iter_mut().zip(&features) {
                column[row] = feature.value(&option).unwrap_or(f64::NAN);
            }
        }
        let columns: Vec<Column> = self
            .set
            .names()
            .zip(values)
            .map(|(name, values)| Column::numeric(name, values))
            .collect();
        let report = FeatureReport::new(0, skips, &columns);
        Ok((Table::new(columns)?, report))
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

    fn chain_features(&self) -> Result<Vec<ChainFeature>, DataError> {
        let features = self.set.features().iter();
        features
            .map(|named| match &named.feature {
                Feature::Chain(feature) => Ok(*feature),
                Feature::Bar(_) => Err(DataError::config(format!(
                    "feature '{}' of the set '{}' is one of bars: an option chain does not give it, \
                     BarFeatures does",
                    named.name,
                    self.set.name()
                ))),
            })
            .collect()
    }
}
