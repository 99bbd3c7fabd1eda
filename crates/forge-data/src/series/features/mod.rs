//! Features of bars as past columns of series.

mod append;
mod bars;

pub use bars::SeriesBars;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::report::Findings;
use super::table::OneSeries;
use super::{SeriesConfig, SeriesSchema, SeriesTable};

use crate::features::{BarFeature, BarFeatures, BarField, Feature, FeatureSet, Needs, needs};
use crate::{DataError, Table};
use bars::Places;

/// Features of bars as past columns of a table of series: a part of a model's file, so that raw bars go
/// in and its own features come out, over a table or row by row with the same bits.
///
/// Columns that the features are computed from and nothing else needs are read and not kept. A price
/// that is a column already (`close`, a target) is not taken twice.
///
/// ```
/// use forge_data::features::{BarFeatures, FeatureSet};
/// use forge_data::{BarMarketConfig, SeriesConfig, SeriesFeatures};
/// let bars = BarMarketConfig { stocks: 2, days: 80, ..Default::default() }.generate()?;
/// let config = SeriesConfig::new("date", ["close"]).with_series("ticker");
/// let features = SeriesFeatures::new(BarFeatures::new(FeatureSet::named("technical_25")?), &config)?;
/// let (series, _) = features.from_table(&bars, &config)?;
/// assert_eq!(series.schema().config.past.len(), 24); // `close` is the target
/// assert!(series.column(0, "rsi")?[20] > 0.0);
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesFeatures {
    bars: BarFeatures,
    /// Past columns beside those of the features.
    past: Vec<String>,
}

impl SeriesFeatures {
    /// `bars` for series of `config`, which says which column is the time and which the series.
    ///
    /// # Errors
    /// A config error for a feature of option chains, for one that has the name of another column,
    /// and for what the series say themselves: `columns.series`, `columns.time`, `columns.session`
    /// (a session is a day on the series' clock) and `longest_step`.
    pub fn new(bars: BarFeatures, config: &SeriesConfig) -> Result<Self, DataError> {
        let needs = needs(&bars.set)?;
        for field in needs.all_fields() {
            bars.column(field)?;
        }
        let columns = &bars.columns;
        for (field, given, instead) in [
            ("columns.series", columns.series.is_some(), "series.series"),
            ("columns.time", columns.time.is_some(), "series.time"),
            (
                "columns.session",
                columns.session.is_some(),
                "series.time_zone",
            ),
            ("longest_step", bars.longest_step.is_some(), "series.gaps"),
        ] {
            if given {
                return Err(DataError::config(format!(
                    "features.{field} is set: allowed is none, since {instead} says it"
                )));
            }
        }
        let features = Self {
            bars,
            past: config.past.clone(),
        };
        for named in features.bars.set.features() {
            let is_taken = config.moving().any(|column| *column == named.name);
            if is_taken && !features.is_column(named.name.as_str(), &named.feature) {
                return Err(DataError::config(format!(
                    "the feature '{}' has the name of a column of the series: rename one of them, or \
                     leave the column out",
                    named.name
                )));
            }
        }
        features.config(config).validate()?;
        Ok(features)
    }

    /// Whether a feature is a column of its own name as it is.
    fn is_column(&self, name: &str, feature: &Feature) -> bool {
        let field = match feature {
            Feature::Bar(BarFeature::Open) => BarField::Open,
            Feature::Bar(BarFeature::High) => BarField::High,
            Feature::Bar(BarFeature::Low) => BarField::Low,
            Feature::Bar(BarFeature::Close) => BarField::Close,
            _ => return false,
        };
        self.bars
            .columns
            .name(field)
            .is_some_and(|column| column == name)
    }

    /// Which features, and the columns of the bars.
    #[must_use]
    pub fn bars(&self) -> &BarFeatures {
        &self.bars
    }

    /// Which features.
    #[must_use]
    pub fn set(&self) -> &FeatureSet {
        &self.bars.set
    }

    pub(super) fn needs(&self) -> Needs {
        needs(&self.bars.set).unwrap_or_default()
    }

    /// The columns that series of `config` have with the features, after the past columns that there are.
    #[must_use]
    pub fn config(&self, config: &SeriesConfig) -> SeriesConfig {
        let own: HashSet<&String> = config.targets.iter().chain(&config.known).collect();
        let mut past = self.past.clone();
        for name in self.bars.set.names().map(String::from) {
            if !own.contains(&name) && !past.contains(&name) {
                past.push(name);
            }
        }
        config.clone().with_past(past)
    }

    /// The columns that series of `config` are computed from.
    #[must_use]
    pub fn raw(&self, config: &SeriesConfig) -> SeriesConfig {
        let own: HashSet<&String> = config.targets.iter().chain(&config.known).collect();
        let mut past = self.past.clone();
        for field in self.needs().all_fields() {
            if let Some(name) = self.bars.columns.name(field)
                && !own.contains(name)
                && !past.contains(name)
            {
                past.push(name.clone());
            }
        }
        config.clone().with_past(past)
    }

    /// Whether series of `schema` are those that this makes, as a file should have it.
    #[must_use]
    pub fn fits(&self, schema: &SeriesSchema) -> bool {
        let same = Self::new(self.bars.clone(), &self.raw_own(&schema.config));
        same.is_ok_and(|same| same == *self) && self.config(&schema.config) == schema.config
    }

    fn raw_own(&self, config: &SeriesConfig) -> SeriesConfig {
        config.clone().with_past(self.past.clone())
    }

    /// The series in a table of raw bars, with their features, and the state to go on from.
    ///
    /// # Errors
    /// As [`SeriesTable::from_table`]; a value error naming column, series and time of a bar that lacks
    /// a cell or cannot be, unless such are skipped.
    pub fn from_table(
        &self,
        table: &Table,
        config: &SeriesConfig,
    ) -> Result<(SeriesTable, SeriesBars), DataError> {
        self.check_columns(table)?;
        self.compute(&SeriesTable::from_table(table, &self.raw(config))?)
    }

    /// [`from_table`](Self::from_table) for a table to predict from.
    ///
    /// # Errors
    /// As there, and as [`SeriesTable::like`].
    pub fn like(
        &self,
        table: &Table,
        schema: &SeriesSchema,
    ) -> Result<(SeriesTable, SeriesBars), DataError> {
        self.check_columns(table)?;
        let raw = SeriesSchema {
            config: self.raw(&schema.config),
            ..schema.clone()
        };
        self.compute(&SeriesTable::like(table, &raw)?)
    }

    /// Names what is missing, and what for.
    fn check_columns(&self, table: &Table) -> Result<(), DataError> {
        for field in self.needs().all_fields() {
            let column = self.bars.column(field)?;
            table.column(column).map_err(|error| {
                error.with_hint(format!(
                    "the features '{}' are computed from it (columns.{field} says which is meant)",
                    self.bars.set.name()
                ))
            })?;
        }
        Ok(())
    }

    /// Series of the [raw](Self::raw) columns with their features.
    ///
    /// # Errors
    /// A value error as [`from_table`](Self::from_table)'s.
    pub fn compute(&self, raw: &SeriesTable) -> Result<(SeriesTable, SeriesBars), DataError> {
        let config = self.config(&raw.schema.config);
        let places = Places::new(self, &raw.schema.config)?;
        let from = self.sources(&raw.schema.config, &config)?;
        let mut bars = SeriesBars::new(self, raw.n_series())?;
        let mut findings = Findings::default();
        let mut table = SeriesTable {
            schema: SeriesSchema {
                config,
                ..raw.schema.clone()
            },
            series: Vec::with_capacity(raw.n_series()),
            report: raw.report.clone(),
        };
        for (index, rows) in raw.series.iter().enumerate() {
            let computed = bars.over(self, &places, raw, index, &mut findings)?;
            let column = |source: &Source| match source {
                Source::Raw(place) => rows.columns[*place].clone(),
                Source::Feature(place) => computed[*place].clone(),
            };
            table.series.push(OneSeries {
                unit: rows.unit,
                columns: from.iter().map(column).collect(),
                times: rows.times.clone(),
                offsets: rows.offsets.clone(),
                numbers: rows.numbers.clone(),
                codes: rows.codes.clone(),
                end: rows.end,
            });
        }
        table.report.findings.extend(findings.done());
        Ok((table, bars))
    }

    /// Where each column of the whole comes from.
    fn sources(&self, raw: &SeriesConfig, whole: &SeriesConfig) -> Result<Vec<Source>, DataError> {
        let own: HashSet<&String> = (raw.targets.iter())
            .chain(&self.past)
            .chain(&raw.known)
            .collect();
        let place = |name: &String| {
            if own.contains(name) {
                return raw
                    .moving()
                    .position(|column| column == name)
                    .map(Source::Raw);
            }
            let place = self.bars.set.names().position(|feature| feature == name);
            place.map(Source::Feature)
        };
        let lost = |name: &String| {
            DataError::schema("is neither a column of the series nor a feature").at_column(name)
        };
        whole
            .moving()
            .map(|name| place(name).ok_or_else(|| lost(name)))
            .collect()
    }
}

/// Where a column comes from.
enum Source {
    /// The column of this number.
    Raw(usize),
    /// The feature of this number.
    Feature(usize),
}
