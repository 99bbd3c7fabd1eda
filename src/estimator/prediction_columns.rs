//! Predictions as columns of a table.

use forge_data::{Column, Table};
use forge_train::objective::Predictions;

use super::FittedModel;
use crate::Error;

impl FittedModel {
    /// Predictions as columns to put beside a table: `predicted_TARGET`, and by objective
    /// `probability_CLASS`, `quantile_0.1_TARGET`, `std_TARGET`.
    ///
    /// # Errors
    /// As [`predictions`](Self::predictions).
    pub fn prediction_columns(&self, table: &Table) -> Result<Vec<Column>, Error> {
        self.columns_of(&self.predictions(table)?)
    }

    /// Predictions that were made as columns, see [`prediction_columns`](Self::prediction_columns).
    ///
    /// # Errors
    /// A config error for predictions of another model.
    pub(crate) fn columns_of(&self, predictions: &Predictions) -> Result<Vec<Column>, Error> {
        let names = self.target_names();
        let slots = names.len();
        let of = |values: &[f64], slot: usize| -> Vec<f64> {
            values.iter().skip(slot).step_by(slots).copied().collect()
        };
        let mut columns = Vec::new();
        if let (Some(classes), Some(labels)) = (self.classes(), predictions.classes()) {
            let labels = labels.iter().map(|class| Some(classes[*class].as_str()));
            columns.push(Column::categorical(
                format!("predicted_{}", names[0]),
                labels,
            ));
            let p = predictions.probabilities().unwrap_or_default();
            for (class, label) in classes.iter().enumerate() {
                let p = p.iter().skip(class).step_by(classes.len()).copied();
                columns.push(Column::numeric(format!("probability_{label}"), p.collect()));
            }
            return Ok(columns);
        }
        let point = predictions.point();
        for (slot, name) in names.iter().enumerate() {
            columns.push(Column::numeric(
                format!("predicted_{name}"),
                of(&point, slot),
            ));
            for q in predictions.shown_quantiles() {
                let values = predictions.quantile(*q)?;
                columns.push(Column::numeric(
                    format!("quantile_{q}_{name}"),
                    of(&values, slot),
                ));
            }
            if let Some(std) = predictions.std() {
                columns.push(Column::numeric(format!("std_{name}"), of(&std, slot)));
            }
        }
        Ok(columns)
    }
}
