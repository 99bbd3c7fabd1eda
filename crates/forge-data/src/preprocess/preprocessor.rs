//! What is learned from training rows.

use super::categorical::CategoricalColumn;
use super::numeric::NumericColumn;
use super::report::{DropReason, DroppedColumn, PreprocessReport};
use super::{CategoricalEncoding, FeatureSelection, PreprocessConfig};
use crate::{ColumnValues, DataError, Table};

/// Turns tables into features, with what it learned from training rows.
///
/// Columns are matched by name: their order, and columns it does not know, do not matter.
///
/// The numeric matrix holds, in this order: the numeric columns in the table's order, their
/// missing indicators, and the one-hot columns. The categorical matrix holds codes: 0 for labels
/// unknown in training, 1 for missing cells if training had any (else they count as unknown), then
/// the labels in lexical order.
///
/// # Examples
/// ```
/// use forge_data::{Column, FeatureSelection, PreprocessConfig, Preprocessor, Table};
/// # fn main() -> Result<(), forge_data::DataError> {
/// let table = Table::new(vec![
///     Column::numeric("strike", vec![90.0, 100.0, 110.0, f64::NAN]),
///     Column::numeric("vol", vec![0.22, 0.20, 0.19, 0.25]),
/// ])?;
/// let features = FeatureSelection::Except(vec!["vol".into()]);
/// let (preprocessor, report) =
///     Preprocessor::fit(&table, &features, &[0, 1, 2], &PreprocessConfig::default())?;
/// assert!(report.dropped.is_empty());
/// let x = preprocessor.transform(&table, None)?;
/// assert_eq!(x.numeric[3], 0.0); // the missing strike became the training mean
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessor {
    pub(super) config: PreprocessConfig,
    pub(super) numeric: Vec<NumericColumn>,
    pub(super) categorical: Vec<CategoricalColumn>,
}

impl Preprocessor {
    /// Learns from the rows `train_rows` (0-based) of `table`; no other row has any influence.
    ///
    /// # Errors
    /// - config: a field of `config` is out of range, or a row is not in the table
    /// - schema: a selected column is not in the table, or no usable feature is left
    /// - value: there is no training row, or one of them holds an infinite number (row and column
    ///   are named)
    pub fn fit(
        table: &Table,
        features: &FeatureSelection,
        train_rows: &[usize],
        config: &PreprocessConfig,
    ) -> Result<(Self, PreprocessReport), DataError> {
        config.validate()?;
        let columns = features.columns(table)?;
        check_rows(train_rows, table)?;
        if train_rows.is_empty() {
            return Err(DataError::value(
                "no training rows: preprocessing learns from at least one",
            ));
        }
        let mut this = Self {
            config: config.clone(),
            numeric: Vec::new(),
            categorical: Vec::new(),
        };
        let mut report = PreprocessReport {
            train_rows: train_rows.len(),
            ..Default::default()
        };
        for (stream, column) in columns.into_iter().enumerate() {
            let name = &column.name;
            let dropped = match &column.values {
                ColumnValues::Numeric(values) => {
                    let fit = NumericColumn::fit(name, values, train_rows, config, stream as u64)?;
                    if fit.missing > 0 && fit.column.is_some() {
                        report.imputed.push((name.clone(), fit.missing));
                    }
                    this.numeric.extend(fit.column);
                    report.far_out.extend(fit.far_out);
                    fit.dropped
                }
                ColumnValues::Categorical(cells) => {
                    let fit = CategoricalColumn::fit(name, cells, train_rows, config)?;
                    this.categorical.extend(fit.column);
                    report.rare.extend(fit.rare);
                    if fit.identifier {
                        report.identifiers.push(name.clone());
                    }
                    fit.dropped
                }
                ColumnValues::DateTime(_) => Some(DropReason::DateTime),
            };
            report.dropped.extend(dropped.map(|reason| DroppedColumn {
                name: name.clone(),
                reason,
            }));
        }
        if this.numeric.is_empty() && this.categorical.is_empty() {
            let reasons: Vec<String> = report
                .dropped
                .iter()
                .map(|d| format!("'{}': {}", d.name, d.reason))
                .collect();
            return Err(DataError::schema(if reasons.is_empty() {
                "no feature columns were selected".into()
            } else {
                format!("no usable feature is left: {}", reasons.join("; "))
            }));
        }
        Ok((this, report))
    }

    /// The config it was fitted with.
    #[must_use]
    pub fn config(&self) -> &PreprocessConfig {
        &self.config
    }

    /// Names of the columns a table must have to be transformed.
    pub fn source_columns(&self) -> impl Iterator<Item = &str> {
        let numeric = self.numeric.iter().map(|c| c.name.as_str());
        numeric.chain(self.categorical.iter().map(|c| c.name.as_str()))
    }

    /// For each feature, numeric ones first and then categorical ones, the position of its column
    /// in [`source_columns`](Self::source_columns): a missing indicator and the one-hot columns of
    /// a label belong to the column that they were made of.
    #[must_use]
    pub fn feature_sources(&self) -> Vec<usize> {
        let numbers = || self.numeric.iter().enumerate();
        let values = numbers().filter(|(_, c)| c.value);
        let indicators = numbers().filter(|(_, c)| c.indicator);
        let numbers = values.chain(indicators).map(|(at, _)| at);
        let labels = self.categorical.iter().enumerate();
        let labels = labels.flat_map(|(at, column)| {
            let (numeric, codes) = column.widths(self.config.categorical);
            std::iter::repeat_n(self.numeric.len() + at, numeric + codes)
        });
        numbers.chain(labels).collect()
    }

    /// Number of numeric features that are values of a numeric column: they come first, before missing
    /// indicators and one-hot columns.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.numeric.iter().filter(|c| c.value).count()
    }

    /// Number of numeric features, `F_num`.
    #[must_use]
    pub fn n_numeric(&self) -> usize {
        let numeric = self.numeric.iter();
        let numeric: usize = numeric
            .map(|c| usize::from(c.value) + usize::from(c.indicator))
            .sum();
        let labels = self.categorical.iter();
        numeric
            + labels
                .map(|c| c.widths(self.config.categorical).0)
                .sum::<usize>()
    }

    /// Number of categorical features, `F_cat`.
    #[must_use]
    pub fn n_categorical(&self) -> usize {
        match self.config.categorical {
            CategoricalEncoding::Codes => self.categorical.len(),
            CategoricalEncoding::OneHot => 0,
        }
    }

    /// Number of codes of each categorical feature, buckets included.
    #[must_use]
    pub fn cardinalities(&self) -> Vec<usize> {
        match self.config.categorical {
            CategoricalEncoding::Codes => {
                let columns = self.categorical.iter();
                columns.map(CategoricalColumn::cardinality).collect()
            }
            CategoricalEncoding::OneHot => Vec::new(),
        }
    }

    /// Names of the numeric features in order: `strike`, `strike (missing)`, `type=C`.
    #[must_use]
    pub fn numeric_names(&self) -> Vec<String> {
        let values = self.numeric.iter().filter(|c| c.value);
        let values = values.map(|c| c.name.clone());
        let indicators = self.numeric.iter().filter(|c| c.indicator);
        let indicators = indicators.map(|c| format!("{} (missing)", c.name));
        let mut names: Vec<String> = values.chain(indicators).collect();
        if self.config.categorical == CategoricalEncoding::OneHot {
            let columns = self.categorical.iter();
            names.extend(columns.flat_map(CategoricalColumn::one_hot_names));
        }
        names
    }

    /// Names of the categorical features in order.
    #[must_use]
    pub fn categorical_names(&self) -> Vec<String> {
        match self.config.categorical {
            CategoricalEncoding::Codes => {
                let columns = self.categorical.iter();
                columns.map(|c| c.name.clone()).collect()
            }
            CategoricalEncoding::OneHot => Vec::new(),
        }
    }
}

/// # Errors
/// A config error naming the first row that is not in the table.
pub(crate) fn check_rows(rows: &[usize], table: &Table) -> Result<(), DataError> {
    match rows.iter().find(|row| **row >= table.n_rows()) {
        None => Ok(()),
        Some(row) => Err(DataError::config(format!(
            "row index {row} is not in the table: it has {} rows",
            table.n_rows()
        ))),
    }
}

pub(crate) fn too_large(value: f64, row: usize, name: &str) -> DataError {
    DataError::value(format!(
        "{value:e} is too large: transformed it exceeds the range of f32 (±3.4e38)"
    ))
    .at_index(row)
    .at_column(name)
}
