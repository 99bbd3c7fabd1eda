//! Predictions as columns of a table.

use forge_data::{Column, Table};
use forge_train::objective::{Predictions, SpreadPredictions};

use super::FittedModel;
use crate::Error;

impl FittedModel {
    /// Predictions as columns to put beside a table: `predicted_TARGET`, and by objective
    /// `probability_CLASS`, `quantile_0.1_TARGET`, `std_TARGET` (and where it is told apart
    /// `aleatoric_TARGET`, `epistemic_TARGET`), `probability_up_TARGET`.
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
        let (point, aleatoric) = (predictions.point(), predictions.aleatoric());
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
            let std = predictions.std();
            let parts = [
                ("std", std.as_deref()),
                ("aleatoric", aleatoric.as_deref()),
                ("epistemic", predictions.epistemic()),
                ("probability_up", predictions.up()),
            ];
            for (part, values) in parts {
                if let Some(values) = values {
                    columns.push(Column::numeric(format!("{part}_{name}"), of(values, slot)));
                }
            }
        }
        Ok(columns)
    }

    /// The columns of predictions with their spread beside them: `spread_TARGET`, or of classes
    /// `spread_probability_CLASS`; none where the predictions tell the spread themselves.
    ///
    /// # Errors
    /// As [`columns_of`](Self::columns_of).
    pub(crate) fn columns_with_spread(
        &self,
        said: &SpreadPredictions,
    ) -> Result<Vec<Column>, Error> {
        let mut columns = self.columns_of(&said.mean)?;
        if said.mean.epistemic().is_some() {
            return Ok(columns);
        }
        let names: Vec<String> = match self.classes() {
            Some(classes) => classes.iter().map(|c| format!("probability_{c}")).collect(),
            None => self.target_names().into_iter().map(String::from).collect(),
        };
        for (slot, name) in names.iter().enumerate() {
            let name = format!("spread_{name}");
            columns.push(Column::numeric(name, said.spread_of(slot)));
        }
        Ok(columns)
    }
}
