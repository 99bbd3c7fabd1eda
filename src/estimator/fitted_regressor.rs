//! A trained regressor.

use forge_data::Table;
use forge_nn::ForgeError;

use super::of_one_task::fitted_of_one_task;
use super::{FittedModel, Task};
use crate::Error;

/// A [`FittedModel`] that predicts numbers.
#[derive(Debug, Clone)]
pub struct FittedRegressor(FittedModel);

fitted_of_one_task!(FittedRegressor, "classifier");

impl FittedRegressor {
    pub(super) fn new(model: FittedModel) -> Result<Self, Error> {
        match model.task() {
            Task::Regression => Ok(Self(model)),
            Task::Classification => Err(ForgeError::unsupported(
                "this model predicts classes: take it as a classifier",
            )
            .into()),
        }
    }

    /// One number per row in the target's unit: the value, the median, the mean. Of several
    /// targets the first; see [`predict_all`](Self::predict_all).
    ///
    /// # Errors
    /// As [`FittedModel::predictions`].
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>, Error> {
        self.predict_rows(table, None)
    }

    /// [`predict`](Self::predict) for some rows (0-based), in their order.
    ///
    /// # Errors
    /// As [`FittedModel::predictions`].
    pub fn predict_rows(&self, table: &Table, rows: Option<&[usize]>) -> Result<Vec<f64>, Error> {
        Ok(self.predictions_rows(table, rows)?.point_of(0))
    }

    /// One list per target column, in the order of [`target_names`](FittedModel::target_names).
    ///
    /// # Errors
    /// As [`FittedModel::predictions`].
    pub fn predict_all(&self, table: &Table) -> Result<Vec<Vec<f64>>, Error> {
        let predictions = self.predictions(table)?;
        let slots = 0..predictions.slots();
        Ok(slots.map(|slot| predictions.point_of(slot)).collect())
    }

    /// One list per quantile, of the first target, in the target's unit.
    ///
    /// # Errors
    /// As [`FittedModel::predictions`]; a config error for a quantile outside `(0, 1)` or one that
    /// was neither trained nor calibrated, an unsupported error for a model of values without
    /// [calibration](FittedModel::calibrate).
    pub fn predict_quantiles(
        &self,
        table: &Table,
        quantiles: &[f64],
    ) -> Result<Vec<Vec<f64>>, Error> {
        let predictions = self.predictions(table)?;
        let slots = predictions.slots();
        let one = |q: &f64| {
            let values = self.quantile(&predictions, *q)?;
            Ok(values.iter().step_by(slots).copied().collect())
        };
        quantiles.iter().map(one).collect()
    }

    /// The probability that each row's number is above 0, of the first target.
    ///
    /// # Errors
    /// As [`FittedModel::predictions`]; an unsupported error unless the objective was
    /// `returns_direction`.
    pub fn predict_up(&self, table: &Table) -> Result<Vec<f64>, Error> {
        self.predictions(table)?.up_of(0).ok_or_else(|| {
            let what = "has no directions: train with the objective 'returns_direction'";
            ForgeError::unsupported(format!("a model of {} {what}", self.objective())).into()
        })
    }

    /// Mean and standard deviation of each row's distribution, of the first target.
    ///
    /// # Errors
    /// As [`FittedModel::predictions`]; an unsupported error unless the objective was
    /// `distribution` or `bars`.
    pub fn predict_distribution(&self, table: &Table) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let predictions = self.predictions(table)?;
        let Some(std) = predictions.std() else {
            let what = "has no spread: train with the objective 'distribution' or 'bars'";
            return Err(
                ForgeError::unsupported(format!("a model of {} {what}", self.objective())).into(),
            );
        };
        let slots = predictions.slots();
        let std = std.iter().step_by(slots).copied().collect();
        Ok((predictions.point_of(0), std))
    }
}
