//! A trained model of any task, and the file that holds it.

use std::path::Path;

use burn::tensor::Device;
use forge_data::{
    Features, Preprocessor, ReadOptions, Table, TabularDataset, TargetEncoder, TransformReport,
};
use forge_models::{Model, ModelConfig, TabularSpec};
use forge_nn::ForgeError;
use forge_train::metric::Scores;
use forge_train::objective::{Objective, ObjectiveConfig, Predictions, Scale, Targets};
use forge_train::precision::Precision;

use super::predict::{predictions, without_gradients};
use super::{Calibration, FittedClassifier, FittedRegressor, StoredContext, Task};
use crate::{Error, artifact};

/// A trained model with all that it needs: preprocessing, what its outputs mean, the rows that it
/// looks at.
///
/// [`FittedRegressor`] and [`FittedClassifier`] are this with the task known.
#[derive(Debug, Clone)]
pub struct FittedModel {
    pub(crate) model: ModelConfig,
    /// Networks of one architecture whose predictions are averaged; at least one.
    pub(crate) members: Vec<Model>,
    pub(crate) objective: ObjectiveConfig,
    pub(crate) preprocessor: Preprocessor,
    pub(crate) encoder: TargetEncoder,
    pub(crate) context: Option<StoredContext>,
    /// What its predictions are put right by.
    pub(crate) calibration: Option<Calibration>,
    /// How the training table was read.
    pub(crate) read: ReadOptions,
    pub(crate) device: Device,
}

/// The units of every target column.
pub(super) fn scales(encoder: &TargetEncoder) -> Vec<Scale> {
    match encoder.numeric() {
        None => vec![Scale::IDENTITY],
        Some(targets) => {
            let columns = targets.columns().iter();
            columns
                .map(|c| Scale {
                    center: c.center(),
                    scale: c.scale(),
                })
                .collect()
        }
    }
}

/// The target columns that never varied in training, by slot, and their value: what they are
/// predicted as, since there is nothing to learn.
pub(super) fn constants(encoder: &TargetEncoder) -> Vec<(usize, f64)> {
    let columns = encoder
        .numeric()
        .map_or(&[][..], |targets| targets.columns());
    let columns = columns.iter().enumerate();
    let constant = columns.filter(|(_, column)| column.is_constant());
    constant
        .map(|(slot, column)| (slot, column.center()))
        .collect()
}

impl FittedModel {
    /// What the model says of every row, in the targets' units, and put right where it is
    /// [calibrated](Self::calibrate).
    ///
    /// Columns are found by name: their order does not matter and others are ignored. Missing
    /// numbers are imputed as in training; labels not seen in training share the unknown bucket,
    /// unless they are most of a column's: then it is not the column that it was.
    /// [`predictions_with_report`](Self::predictions_with_report) tells of both. A target that was
    /// constant in training is predicted as that constant. A row's prediction does not depend on the
    /// rows beside it, whatever the model.
    ///
    /// # Errors
    /// A data error naming a column that is missing or of the wrong kind, row and column of an
    /// infinite value, or a column of at least twenty labels of which more than half are unknown,
    /// with labels of both sets.
    pub fn predictions(&self, table: &Table) -> Result<Predictions, Error> {
        self.predictions_rows(table, None)
    }

    /// [`predictions`](Self::predictions) for some rows (0-based), in their order.
    ///
    /// # Errors
    /// As [`predictions`](Self::predictions).
    pub fn predictions_rows(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<Predictions, Error> {
        let (predictions, report) = self.predictions_with_report(table, rows)?;
        report.refuse_mostly_unknown()?;
        Ok(predictions)
    }

    /// [`predictions`](Self::predictions) for some rows (0-based) or all, however many of their
    /// labels are unknown, and what there is to know of the rows: cells that were missing, labels
    /// that were matched, labels that training did not have.
    ///
    /// # Errors
    /// As [`predictions`](Self::predictions), but for unknown labels.
    pub fn predictions_with_report(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<(Predictions, TransformReport), Error> {
        let masks = self.model.capabilities().missing;
        let mut features = self.preprocessor.transform_with(table, rows, masks)?;
        let report = std::mem::take(&mut features.report);
        Ok((self.predictions_of(features)?, report))
    }

    /// What the model says of preprocessed rows, in the targets' units.
    pub(super) fn predictions_of(&self, features: Features) -> Result<Predictions, Error> {
        let scales = scales(&self.encoder);
        if features.n_rows == 0 {
            return Ok(self.objective.decode(&[], &scales)?);
        }
        let dataset = TabularDataset::new(features, &self.device);
        let context = self.context.as_ref().map(|c| c.to_device(&self.device));
        let members = self.members.iter().map(|module| {
            let context = context.as_ref();
            predictions(module, &dataset, context, &self.objective, &scales)
        });
        let members = members.collect::<Result<Vec<_>, ForgeError>>()?;
        let mut predictions = Predictions::average(&members)?;
        self.put_right(&mut predictions)?;
        Ok(predictions)
    }

    /// What a network says, with targets that never varied at their value, and as it is calibrated.
    pub(super) fn put_right(&self, predictions: &mut Predictions) -> Result<(), ForgeError> {
        for (slot, value) in constants(&self.encoder) {
            predictions.pin(slot, value);
        }
        match &self.calibration {
            Some(calibration) => calibration.apply(predictions),
            None => Ok(()),
        }
    }

    /// The actual targets of some rows, or of all: numbers in their units, class numbers.
    ///
    /// # Errors
    /// A data error naming column and row of a target that is missing, or of a label that is none
    /// of the classes.
    pub fn targets_of(&self, table: &Table, rows: Option<&[usize]>) -> Result<Targets, Error> {
        let encoded = self.encoder.encode(table, rows)?;
        Ok(Targets::new(encoded.slots, encoded.original)?)
    }

    /// How good the predictions of some rows are, or of all; the first score decides.
    ///
    /// # Errors
    /// As [`predictions`](Self::predictions) and [`targets_of`](Self::targets_of).
    pub fn scores(&self, table: &Table, rows: Option<&[usize]>) -> Result<Scores, Error> {
        let (scores, report) = self.scores_with_report(table, rows)?;
        report.refuse_mostly_unknown()?;
        Ok(scores)
    }

    /// [`scores`](Self::scores) however many labels are unknown, and what there is to know of the
    /// rows, as [`predictions_with_report`](Self::predictions_with_report) tells.
    ///
    /// # Errors
    /// As [`scores`](Self::scores), but for unknown labels.
    pub fn scores_with_report(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
    ) -> Result<(Scores, TransformReport), Error> {
        let targets = self.targets_of(table, rows)?;
        let (predictions, report) = self.predictions_with_report(table, rows)?;
        Ok((self.objective.scores(&predictions, &targets)?, report))
    }

    /// How good predictions that were made are, against the actual targets of their rows.
    ///
    /// # Errors
    /// A shape error if they are not of the same rows.
    pub(crate) fn scores_of(
        &self,
        predictions: &Predictions,
        targets: &Targets,
    ) -> Result<Scores, Error> {
        Ok(self.objective.scores(predictions, targets)?)
    }

    /// Numbers or classes.
    #[must_use]
    pub fn task(&self) -> Task {
        match self.encoder.classes() {
            Some(_) => Task::Classification,
            None => Task::Regression,
        }
    }

    /// The columns it predicts.
    #[must_use]
    pub fn target_names(&self) -> Vec<&str> {
        self.encoder.names()
    }

    /// The classes in order; absent for numbers.
    #[must_use]
    pub fn classes(&self) -> Option<&[String]> {
        self.encoder.classes().map(|target| target.names())
    }

    /// What the outputs mean.
    #[must_use]
    pub fn objective(&self) -> &ObjectiveConfig {
        &self.objective
    }

    /// The architecture.
    #[must_use]
    pub fn model(&self) -> &ModelConfig {
        &self.model
    }

    /// The trained networks whose predictions are averaged: one, or the members of an ensemble.
    #[must_use]
    pub fn members(&self) -> &[Model] {
        &self.members
    }

    /// What is done to a table before the model sees it.
    #[must_use]
    pub fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    /// This model and others of the same architecture, preprocessing and targets as one, whose
    /// predictions are averaged.
    ///
    /// # Errors
    /// A config error naming what differs.
    pub fn ensemble(mut self, others: impl IntoIterator<Item = Self>) -> Result<Self, Error> {
        for other in others {
            let same = [
                ("model", self.model == other.model),
                ("objective", self.objective == other.objective),
                ("preprocessing", self.preprocessor == other.preprocessor),
                ("targets", self.encoder == other.encoder),
                ("context rows", self.context == other.context),
            ];
            if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
                let allowed = "the same for all members: train them on the same rows with \
                               different seeds, with the same fixed threshold";
                return Err(ForgeError::config("ensemble", *what, allowed).into());
            }
            if self.calibration.is_some() || other.calibration.is_some() {
                let allowed = "absent: each was calibrated alone; train them without, and calibrate \
                               the ensemble";
                return Err(ForgeError::config("ensemble", "calibration", allowed).into());
            }
            self.members.extend(other.members);
        }
        Ok(self)
    }

    /// As a regressor.
    ///
    /// # Errors
    /// An unsupported error if it predicts classes.
    pub fn into_regressor(self) -> Result<FittedRegressor, Error> {
        FittedRegressor::new(self)
    }

    /// As a classifier.
    ///
    /// # Errors
    /// An unsupported error if it predicts numbers.
    pub fn into_classifier(self) -> Result<FittedClassifier, Error> {
        FittedClassifier::new(self)
    }

    /// Writes model, weights, preprocessing and all else to one safetensors file, whole or not at
    /// all.
    ///
    /// # Errors
    /// An I/O error naming the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save_in(path, Precision::F32)
    }

    /// [`save`](Self::save) with the matrices among the weights in half precision: about half the
    /// file. Each of their numbers is then rounded by at most 1/2048 of itself in f16 (to 65504, and
    /// down to about 6e-5, below which less is left), and by 1/256 in bf16. Loading gives f32 again.
    ///
    /// # Errors
    /// As [`save`](Self::save); a weights error naming a tensor with a value that f16 does not reach.
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

    /// Chooses on validation rows what the objective leaves to them.
    pub(super) fn tune(&mut self, table: &Table, validation: &[usize]) -> Result<(), Error> {
        if validation.is_empty() || !self.objective.tunes() {
            return Ok(());
        }
        let targets = self.targets_of(table, Some(validation))?;
        let (predictions, _) = self.predictions_with_report(table, Some(validation))?;
        Ok(self.objective.tune(&predictions, &targets)?)
    }

    /// What a model of these parts must be sized for.
    pub(crate) fn spec(preprocessor: &Preprocessor, objective: &ObjectiveConfig) -> TabularSpec {
        TabularSpec {
            n_num_features: preprocessor.n_numeric(),
            cat_cardinalities: preprocessor.cardinalities(),
            d_out: objective.d_out(),
        }
    }
}
