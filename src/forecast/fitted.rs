//! A trained forecaster, and the file that holds it.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use forge_data::features::FeatureSet;
use forge_data::{
    ReadOptions, SeriesFeatures, SeriesScaler, SeriesSchema, SeriesTable, Table, WindowConfig,
    Windows,
};
use forge_models::{SeriesModel, SeriesModelConfig};
use forge_nn::ForgeError;
use forge_train::objective::ObjectiveConfig;
use forge_train::precision::Precision;

use super::input::InputPlan;
use super::{AdaptiveBands, ConformalOffsets, ForecastStream, Forecasts, MeanCorrection, artifact};
use crate::Error;
use crate::estimator::without_gradients;

/// A trained forecaster with all that it needs: columns and their scales, windows, what its outputs
/// mean, calibrated intervals.
#[derive(Debug, Clone)]
pub struct FittedForecaster {
    pub(super) model: SeriesModelConfig,
    /// Networks of one architecture whose forecasts are averaged; at least one.
    pub(super) members: Vec<SeriesModel>,
    /// Of the model's outputs, one slot for each step and target.
    pub(super) objective: ObjectiveConfig,
    pub(super) schema: SeriesSchema,
    pub(super) scaler: Arc<SeriesScaler>,
    pub(super) windows: WindowConfig,
    pub(super) plan: InputPlan,
    /// What it makes of raw bars.
    pub(super) features: Option<SeriesFeatures>,
    pub(super) conformal: Option<ConformalOffsets>,
    pub(super) adaptive: Option<AdaptiveBands>,
    pub(super) mean: Option<MeanCorrection>,
    /// How the training table was read.
    pub(super) read: ReadOptions,
    pub(super) device: Device,
}

impl FittedForecaster {
    /// Forecasts what comes after the last row of each series of `table`, which has the columns of
    /// the training table, and rows for the steps ahead where columns are known for them.
    ///
    /// # Errors
    /// A data error naming column, series and time: a series that is shorter than the look-back, or
    /// was not there in training and is scaled by its own statistics, a column that is known ahead
    /// and is not there, times that do not fit.
    pub fn predict(&self, table: &Table) -> Result<Forecasts, Error> {
        self.predict_series(&Arc::new(self.series_of(table)?))
    }

    /// The series in a table that is like that of the training, with the features that the model makes
    /// of raw bars.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); a data error naming column, series and time of a bar that no
    /// feature can be made of.
    pub fn series_of(&self, table: &Table) -> Result<SeriesTable, Error> {
        match &self.features {
            Some(features) => Ok(features.like(table, &self.schema)?.0),
            None => Ok(SeriesTable::like(table, &self.schema)?),
        }
    }

    /// [`predict`](Self::predict) on a table that has the features of `given` already, made elsewhere:
    /// they must be the model's own.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); a data error that names the features that are surplus, missing,
    /// or made otherwise; a config error for a model that makes no features.
    pub fn predict_features(&self, table: &Table, given: &FeatureSet) -> Result<Forecasts, Error> {
        let Some(features) = &self.features else {
            let allowed = "none: this model was not trained on a set of features";
            return Err(ForgeError::config("features", given.name(), allowed).into());
        };
        features.set().expect(given)?;
        let series = SeriesTable::like(table, &self.schema)?;
        self.predict_series(&Arc::new(series))
    }

    /// [`predict`](Self::predict) of series that were taken from their table already.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_series(&self, table: &Arc<SeriesTable>) -> Result<Forecasts, Error> {
        let windows = Windows::latest(table, &self.windows)?.with_scaler(&self.scaler)?;
        self.forecast(&windows)
    }

    /// Takes one row after the other from where `table` ends.
    ///
    /// # Errors
    /// A data error for a table that is not like that of the training.
    pub fn stream(&self, table: &Table) -> Result<ForecastStream<'_>, Error> {
        Ok(match &self.features {
            Some(features) => {
                let (table, bars) = features.like(table, &self.schema)?;
                ForecastStream::new(self, table, Some(bars))
            }
            None => ForecastStream::new(self, SeriesTable::like(table, &self.schema)?, None),
        })
    }

    /// The architecture.
    #[must_use]
    pub fn model(&self) -> &SeriesModelConfig {
        &self.model
    }

    /// The trained networks whose forecasts are averaged.
    #[must_use]
    pub fn members(&self) -> &[SeriesModel] {
        &self.members
    }

    /// What must stay the same from training to prediction.
    #[must_use]
    pub fn schema(&self) -> &SeriesSchema {
        &self.schema
    }

    /// How columns are scaled.
    #[must_use]
    pub fn scaler(&self) -> &SeriesScaler {
        &self.scaler
    }

    /// Look-back and horizon.
    #[must_use]
    pub fn window_config(&self) -> &WindowConfig {
        &self.windows
    }

    /// What it makes of raw bars; absent where it takes columns as they are.
    #[must_use]
    pub fn features(&self) -> Option<&FeatureSet> {
        self.features.as_ref().map(SeriesFeatures::set)
    }

    /// What its intervals were moved by; absent where they were not calibrated.
    #[must_use]
    pub fn conformal(&self) -> Option<&ConformalOffsets> {
        self.conformal.as_ref()
    }

    /// How its intervals follow what happens; absent where they stay.
    #[must_use]
    pub fn adaptive(&self) -> Option<&AdaptiveBands> {
        self.adaptive.as_ref()
    }

    /// What makes its values means; absent where they are as the objective says.
    #[must_use]
    pub fn mean_correction(&self) -> Option<&MeanCorrection> {
        self.mean.as_ref()
    }

    /// How the training table was read.
    #[must_use]
    pub fn read_options(&self) -> &ReadOptions {
        &self.read
    }

    /// Writes everything to one safetensors file, whole or not at all.
    ///
    /// # Errors
    /// An I/O error naming the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save_in(path, Precision::F32)
    }

    /// [`save`](Self::save) with the matrices among the weights in half precision, as
    /// [`FittedModel::save_in`](crate::FittedModel::save_in).
    ///
    /// # Errors
    /// As there.
    pub fn save_in(&self, path: impl AsRef<Path>, weights: Precision) -> Result<(), Error> {
        artifact::save(self, path.as_ref(), weights)
    }

    /// Reads what [`save`](Self::save) wrote, on any machine, for any device. Safe on files from
    /// strangers: everything is checked before the model is made.
    ///
    /// # Errors
    /// An I/O error, or an artifact error saying what is wrong with the file.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        artifact::load(path.as_ref(), &without_gradients(device))
    }
}
