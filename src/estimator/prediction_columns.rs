//! Predictions as columns of a table.

use forge_data::{Column, Table};
use forge_meta::bayesian::Predictive;
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
        let calibrated = self.calibrated(predictions)?;
        let with_quantiles = calibrated.as_ref().unwrap_or(predictions);
        for (slot, name) in names.iter().enumerate() {
            columns.push(Column::numeric(
                format!("predicted_{name}"),
                of(&point, slot),
            ));
            for q in with_quantiles.shown_quantiles() {
                let values = with_quantiles.quantile(*q)?;
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

    /// Quantiles that stand beside predictions in any case: those that are calibrated, or else those that the
    /// objective shows.
    fn shown_quantiles<'a>(&'a self, predictions: &'a Predictions) -> &'a [f64] {
        match self.calibrated_quantiles() {
            [] => predictions.shown_quantiles(),
            calibrated => calibrated,
        }
    }

    /// Quantiles of distributions and buckets as columns `quantile_0.05_TARGET`: those of `quantiles`
    /// that [`columns_of`](Self::columns_of) does not have; none for predictions of other kinds.
    ///
    /// # Errors
    /// A config error for a quantile outside `(0, 1)`, or one that a calibrated model is not calibrated at.
    pub(crate) fn quantile_columns(
        &self,
        predictions: &Predictions,
        quantiles: &[f64],
    ) -> Result<Vec<Column>, Error> {
        if predictions.std().is_none() && self.calibrated_quantiles().is_empty() {
            return Ok(Vec::new());
        }
        let shown = self.shown_quantiles(predictions);
        let others = quantiles.iter().filter(|q| !shown.contains(q));
        let columns = others.map(|q| {
            let values = self.quantile(predictions, *q)?;
            Ok(self.by_target(&format!("quantile_{q}"), values))
        });
        let columns: Vec<_> = columns.collect::<Result<_, Error>>()?;
        Ok(columns.into_iter().flatten().collect())
    }

    /// What the members or passes say together, with their doubt beside it. Of numbers:
    /// `aleatoric_TARGET` and `epistemic_TARGET`, standard deviations, and where the objective tells of
    /// noise quantiles of the mixture; or `spread_TARGET` where inputs are moved (`noise`) or quantiles
    /// predicted. Of classes: `spread_probability_CLASS`, and `entropy_TARGET` with its parts.
    ///
    /// # Errors
    /// As [`columns_of`](Self::columns_of) and [`quantile_columns`](Self::quantile_columns).
    pub(crate) fn columns_with_doubt(
        &self,
        said: &SpreadPredictions,
        predictive: Option<&Predictive>,
        quantiles: &[f64],
    ) -> Result<Vec<Column>, Error> {
        let mut columns = self.columns_of(&said.mean)?;
        if let (Some(classes), Some(doubt)) = (self.classes(), &said.doubt) {
            for (class, label) in classes.iter().enumerate() {
                let name = format!("spread_probability_{label}");
                columns.push(Column::numeric(name, said.spread_of(class)));
            }
            columns.extend(self.by_target("entropy", doubt.total()));
            columns.extend(self.by_target("aleatoric_entropy", doubt.aleatoric.clone()));
            columns.extend(self.by_target("epistemic_entropy", doubt.epistemic.clone()));
            return Ok(columns);
        }
        let told = said.mean.epistemic().is_some();
        let Some(predictive) = predictive else {
            if !told {
                columns.extend(self.by_target("spread", said.spread.clone()));
            }
            return Ok(columns);
        };
        let deviations = |variances: Vec<f64>| variances.into_iter().map(f64::sqrt).collect();
        if !told {
            if predictive.has_noise() {
                columns.extend(self.by_target("aleatoric", deviations(predictive.aleatoric())));
            }
            columns.extend(self.by_target("epistemic", deviations(predictive.epistemic())));
        }
        let mixture = matches!(said.mean, Predictions::Distribution { .. });
        if mixture && self.calibrated_quantiles().is_empty() {
            for q in quantiles {
                columns.extend(self.by_target(&format!("quantile_{q}"), predictive.quantile(*q)?));
            }
        } else {
            columns.extend(self.quantile_columns(&said.mean, quantiles)?);
        }
        Ok(columns)
    }

    /// Values `[N x S]` as a column `WHAT_TARGET` per target.
    fn by_target(&self, what: &str, values: Vec<f64>) -> Vec<Column> {
        let names = self.target_names();
        let slots = names.len();
        let columns = names.iter().enumerate().map(|(slot, name)| {
            let own = values.iter().skip(slot).step_by(slots).copied();
            Column::numeric(format!("{what}_{name}"), own.collect())
        });
        columns.collect()
    }
}
