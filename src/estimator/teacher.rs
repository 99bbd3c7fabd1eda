//! A model to learn from.

use burn::tensor::{Device, Tensor, TensorData};
use forge_data::Table;
use forge_nn::ForgeError;
use forge_train::loss::Distillation;
use forge_train::objective::{Objective, ObjectiveConfig, Scale};

use super::{EstimatorConfig, FittedClassifier, FittedModel, FittedRegressor};
use crate::Error;

/// A trained model that another one learns from, and how.
///
/// It may be of any architecture, preprocessing and number of members, with other columns and units of
/// its own; it has to predict the same targets, or classes, in a form that the student's objective can
/// learn from ([`Objective::teacher_values`]).
#[derive(Debug, Clone, Copy)]
pub struct Teacher<'a> {
    /// Who teaches, in evaluation mode: asked once for every training row, before the first step.
    pub model: &'a FittedModel,
    /// Its part in the loss, and the temperature of classes.
    pub how: Distillation,
}

impl<'a> From<&'a FittedModel> for Teacher<'a> {
    fn from(model: &'a FittedModel) -> Self {
        Self {
            model,
            how: Distillation::default(),
        }
    }
}

impl<'a> From<&'a FittedRegressor> for Teacher<'a> {
    fn from(model: &'a FittedRegressor) -> Self {
        Self::from(&**model)
    }
}

impl<'a> From<&'a FittedClassifier> for Teacher<'a> {
    fn from(model: &'a FittedClassifier) -> Self {
        Self::from(&**model)
    }
}

/// What a teacher says of the training rows.
#[derive(Debug)]
pub(super) struct Lessons {
    /// Row by row, on the student's scale.
    pub(super) values: Vec<f32>,
    pub(super) rows: usize,
    pub(super) how: Distillation,
}

impl Teacher<'_> {
    /// What it says of `rows` of `table`, for a student with this objective.
    pub(super) fn lessons(
        &self,
        table: &Table,
        rows: &[usize],
        targets: &[String],
        objective: &ObjectiveConfig,
        classes: Option<&[String]>,
        scales: &[Scale],
    ) -> Result<Lessons, Error> {
        self.how.validate()?;
        let (found, known) = (self.model.target_names(), self.model.classes());
        if found != targets {
            let allowed = format!("a model of {}", targets.join(", "));
            return Err(ForgeError::config("teacher.targets", found.join(", "), allowed).into());
        }
        if known != classes {
            let shown = |classes: Option<&[String]>| match classes {
                None => "numbers".to_string(),
                Some(classes) => format!("the classes {}", classes.join(", ")),
            };
            let (found, allowed) = (shown(known), format!("a model of {}", shown(classes)));
            return Err(ForgeError::config("teacher", found, allowed).into());
        }
        let said = self.model.predictions_rows(table, Some(rows))?;
        let values = objective.teacher_values(&said, scales)?;
        Ok(Lessons {
            values: values.into_iter().map(|value| value as f32).collect(),
            rows: rows.len(),
            how: self.how,
        })
    }
}

impl Lessons {
    /// `[N, ·]` on a device.
    pub(super) fn to_device(&self, device: &Device) -> (Tensor<2>, Distillation) {
        let width = self.values.len() / self.rows.max(1);
        let data = TensorData::new(self.values.clone(), [self.rows, width]);
        (Tensor::from_data(data, device), self.how)
    }
}

impl FittedModel {
    /// Settings of a student of this model, for distillation: the same architecture with its widths and
    /// depths made smaller by `factor` ([`ModelConfig::student`](forge_models::ModelConfig::student)),
    /// with this objective and preprocessing.
    ///
    /// # Errors
    /// A config error for a factor outside `(0, 1)`, or one that makes nothing smaller.
    pub fn student(&self, factor: f64) -> Result<EstimatorConfig, Error> {
        Ok(EstimatorConfig {
            model: self.model.student(factor)?.into(),
            objective: Some(self.objective.clone()),
            preprocess: self.preprocessor.config().clone(),
            ..EstimatorConfig::default()
        })
    }
}
