//! A trained regressor: predictions, and the file that holds it.

use std::path::Path;

use burn::tensor::Device;
use forge_data::{ColumnRole, Preprocessor, ReadOptions, Table, TabularDataset, TargetTransform};
use forge_models::{Model, ModelConfig};

use super::fit::spec;
use super::task::{predict, without_gradients};
use crate::{Error, artifact};

/// A trained model with its preprocessing.
#[derive(Debug, Clone)]
pub struct FittedRegressor {
    pub(crate) model: ModelConfig,
    pub(crate) module: Model,
    pub(crate) preprocessor: Preprocessor,
    pub(crate) target: TargetTransform,
    pub(crate) device: Device,
}

impl FittedRegressor {
    /// One prediction a row, in the target's unit.
    ///
    /// Columns are found by name: their order does not matter and others are ignored. Missing
    /// numbers are imputed as in training; labels not seen in training share the unknown bucket.
    ///
    /// # Errors
    /// A data error naming a column that is missing or of the wrong kind, or row and column of an
    /// infinite value.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>, Error> {
        self.predict_rows(table, None)
    }

    /// [`predict`](Self::predict) for some rows (0-based), in their order.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_rows(&self, table: &Table, rows: Option<&[usize]>) -> Result<Vec<f64>, Error> {
        let features = self.preprocessor.transform(table, rows)?;
        if features.n_rows == 0 {
            return Ok(Vec::new());
        }
        let rows = TabularDataset::new(features, &self.device);
        Ok(self.target.inverse(&predict(&self.module, &rows)?))
    }

    /// The column it predicts.
    #[must_use]
    pub fn target(&self) -> &str {
        self.target.name()
    }

    /// The architecture.
    #[must_use]
    pub fn model(&self) -> &ModelConfig {
        &self.model
    }

    /// What is done to a table before the model sees it.
    #[must_use]
    pub fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    /// How to read a file to predict on: its columns are what they were in training, whatever
    /// this file's cells look like.
    #[must_use]
    pub fn read_options(&self) -> ReadOptions {
        let (manifest, _) = self.preprocessor.to_parts();
        let numeric = manifest
            .numeric
            .into_iter()
            .map(|c| (c.name, ColumnRole::Numeric));
        let labels = manifest
            .categorical
            .into_iter()
            .map(|c| (c.name, ColumnRole::Categorical));
        let target = [(self.target().to_string(), ColumnRole::Numeric)];
        ReadOptions {
            hints: numeric.chain(labels).chain(target).collect(),
            ..ReadOptions::default()
        }
    }

    /// Writes model, weights and preprocessing to one safetensors file, whole or not at all.
    ///
    /// # Errors
    /// An I/O error naming the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        artifact::save(self, path.as_ref())
    }

    /// Reads what [`save`](Self::save) wrote, on any machine, for any device. Safe on files from
    /// strangers: everything is checked before the model is made.
    ///
    /// # Errors
    /// An I/O error, or an artifact error saying what is wrong with the file.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        artifact::load(path.as_ref(), &without_gradients(device))
    }

    /// Whether the parts belong together; what a file says may not.
    pub(crate) fn fits(model: &ModelConfig, preprocessor: &Preprocessor) -> bool {
        model.spec() == spec(preprocessor)
    }
}
