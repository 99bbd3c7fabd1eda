//! How much the columns of a table count for a fitted model.

use forge_data::{Table, TabularDataset};
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::FittedModel;
use super::predict::importance;
use crate::Error;

/// How much a column counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnImportance {
    /// The table's column.
    pub column: String,
    /// How much it counts.
    pub value: f64,
    /// Standard deviation over repetitions; absent where nothing was repeated.
    pub std: Option<f64>,
}

impl ColumnImportance {
    /// Most important first; equal ones in their order.
    pub(super) fn sort(columns: &mut [Self]) {
        columns.sort_by(|a, b| b.value.total_cmp(&a.value));
    }
}

impl FittedModel {
    /// How much each column counts by the model's own account, most first: what it gives as
    /// [`Maps::importance`](forge_nn::Maps::importance), summed over the rows, over the features
    /// that were made of a column and over members, and divided by the sum of all. The values sum
    /// to 1. Nothing for a model that declares no
    /// [`feature_masks`](forge_models::Capabilities::feature_masks).
    ///
    /// A column that became several features (a missing indicator beside it, one-hot columns) has
    /// the sum of theirs: attention gives each of them something, whatever it tells.
    ///
    /// It tells what the model looks at, not what its predictions would lose: for that see
    /// [`permutation_importance`](Self::permutation_importance).
    ///
    /// # Errors
    /// A config error if there are no rows; as [`predictions`](Self::predictions) otherwise.
    pub fn importance(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<Option<Vec<ColumnImportance>>, Error> {
        let capabilities = self.model.capabilities();
        if !capabilities.feature_masks {
            return Ok(None);
        }
        let features = self
            .preprocessor
            .transform_with(table, rows, capabilities.missing)?;
        check_rows(features.n_rows)?;
        let dataset = TabularDataset::new(features, &self.device);
        let context = self.context.as_ref().map(|c| c.to_device(&self.device));
        let mut columns = self.no_importance();
        let sources = self.preprocessor.feature_sources();
        for module in &self.members {
            let sums = importance(module, &dataset, context.as_ref())?;
            // A member counts as much as another, however large its numbers are.
            let all: f64 = sums.iter().sum();
            for (source, sum) in sources.iter().zip(sums) {
                // Nothing at all is looked at: all the same.
                let share = if all > 0.0 {
                    sum / all
                } else {
                    1.0 / sources.len() as f64
                };
                columns[*source].value += share / self.members.len() as f64;
            }
        }
        ColumnImportance::sort(&mut columns);
        Ok(Some(columns))
    }

    /// Every column, counting nothing.
    pub(super) fn no_importance(&self) -> Vec<ColumnImportance> {
        let names = self.preprocessor.source_columns();
        let none = |name: &str| ColumnImportance {
            column: name.into(),
            value: 0.0,
            std: None,
        };
        names.map(none).collect()
    }
}

/// Importance is found on rows.
pub(super) fn check_rows(rows: usize) -> Result<(), ForgeError> {
    match rows {
        0 => Err(ForgeError::config("rows", "none", "at least one row")),
        _ => Ok(()),
    }
}
